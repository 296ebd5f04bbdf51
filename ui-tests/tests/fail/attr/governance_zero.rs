#[rpcx::service]
#[rpcx(retry_interval = "0ms", retries = 0)]
pub trait Arith {
    #[rpcx(backup_latency = "0s", attempt_timeout = "0s")]
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
