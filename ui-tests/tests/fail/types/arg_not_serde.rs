pub struct Bad;

#[rpcx::service]
pub trait Arith {
    async fn mul(&self, a: Bad) -> rpcx::Result<i32>;
}

fn main() {}
