#[rpcx::service]
pub trait Arith {
    async fn name(&self, a: i32) -> rpcx::Result<&str>;
}

fn main() {}
