#[rpcx::service]
pub trait Arith {
    async fn count(&self, to: i32) -> rpcx::Result<rpcx::Streaming<i32>>;
}

fn main() {}
