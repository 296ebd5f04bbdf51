#[rpcx::service]
pub trait Arith {
    async fn name(&self) -> rpcx::Result<&str>;
}

fn main() {}
