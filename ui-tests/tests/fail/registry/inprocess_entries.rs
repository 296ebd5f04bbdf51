#[rpcx::service]
#[rpcx(
    registry = "inprocess",
    update_interval = "30s",
    metrics,
    session_ttl = "10s"
)]
pub trait Arith {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
