pub struct Bad;

#[rpcx::service]
pub trait Arith {
    async fn mul(&self, a: i32) -> rpcx::Result<Bad>;
}

fn main() {}
