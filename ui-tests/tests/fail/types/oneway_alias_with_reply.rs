pub type MulResult = rpcx::Result<i32>;

#[rpcx::service]
pub trait Arith {
    #[rpcx(oneway)]
    async fn mul(&self, a: i32) -> MulResult;
}

fn main() {}
