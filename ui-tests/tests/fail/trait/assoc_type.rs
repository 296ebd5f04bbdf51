#[rpcx::service]
pub trait Arith {
    type T;

    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
