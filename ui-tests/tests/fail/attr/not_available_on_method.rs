#[rpcx::service]
pub trait Arith {
    #[rpcx(retries = 3, retry = "safe")]
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
