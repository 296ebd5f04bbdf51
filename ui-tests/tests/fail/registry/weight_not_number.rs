#[rpcx::service]
#[rpcx(registry = "inprocess", weight = "5")]
pub trait Arith {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
