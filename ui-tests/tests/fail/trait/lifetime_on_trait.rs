#[rpcx::service]
pub trait Arith<'a> {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
