pub struct Bad;

#[rpcx::service]
pub trait Arith {
    async fn mul(&self, a: i32, b: Bad) -> rpcx::Result<i32>;
}

fn main() {}
