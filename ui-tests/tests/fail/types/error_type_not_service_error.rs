pub struct Bad;

#[rpcx::service]
pub trait Arith {
    async fn mul(&self, a: i32) -> Result<i32, Bad>;
}

fn main() {}
