#[rpcx::service]
#[rpcx(
    retries = 3,
    retry = "safe",
    retry_interval = "20ms",
    backup_latency = "10ms",
    attempt_timeout = "500ms",
    dyn,
    mock
)]
pub trait Arith {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
