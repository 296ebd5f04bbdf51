#[rpcx::service]
pub trait Arith {
    async fn name(&self, name: str) -> rpcx::Result<i32>;
}

fn main() {}
