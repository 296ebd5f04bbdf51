#[rpcx::service]
pub trait Arith {
    async fn mul(&self, a: impl Into<i32>) -> rpcx::Result<i32>;
}

fn main() {}
