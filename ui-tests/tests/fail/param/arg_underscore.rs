#[rpcx::service]
pub trait Arith {
    async fn mul(&self, _: i32) -> rpcx::Result<i32>;
}

fn main() {}
