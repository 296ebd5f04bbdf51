#[rpcx::service]
pub trait Arith {
    async fn mul(&self, items: rpcx::Streaming<i32>) -> rpcx::Result<i32>;
}

fn main() {}
