pub struct Bad;

pub type MulResult = rpcx::Result<Bad>;

#[rpcx::service]
pub trait Arith {
    async fn mul(&self, a: i32) -> MulResult;
}

fn main() {}
