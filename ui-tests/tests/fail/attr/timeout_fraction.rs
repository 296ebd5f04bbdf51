#[rpcx::service]
#[rpcx(timeout = "1.5s")]
pub trait Arith {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
