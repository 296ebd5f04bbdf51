#[rpcx::service]
pub trait Arith {
    const async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
