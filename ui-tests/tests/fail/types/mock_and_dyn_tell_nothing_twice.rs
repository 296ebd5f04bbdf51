pub struct Bad;

#[rpcx::service(mock, dyn)]
pub trait Arith {
    async fn mul(&self, a: Bad) -> rpcx::Result<i32>;
    async fn add(&self, a: i32) -> rpcx::Result<Bad>;
    async fn sub(&self, a: i32) -> Result<i32, Bad>;
}

fn main() {}
