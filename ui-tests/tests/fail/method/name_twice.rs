#[rpcx::service]
pub trait Arith {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
    async fn mul(&self, a: i64) -> rpcx::Result<i64>;
}

fn main() {}
