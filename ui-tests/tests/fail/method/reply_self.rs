#[rpcx::service]
pub trait Arith {
    async fn copy(&self, a: i32) -> rpcx::Result<Self>;
}

fn main() {}
