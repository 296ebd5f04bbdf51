#[rpcx::service]
#[rpcx(registry = "inprocess")]
pub trait Arith {
    #[rpcx(weight = 5, select = "random")]
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
