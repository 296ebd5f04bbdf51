#[rpcx::service]
#[rpcx(timeout = "2 parsecs")]
pub trait Arith {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
