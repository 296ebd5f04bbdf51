#[rpcx::service]
#[rpcx(
    registry = "consull",
    base_path = "/rpcx_test",
    servers = "consul.example:8500",
    update_interval = "30s",
    metrics = false,
    group = "blue",
    weight = 5,
    session_ttl = "15s",
    consul = "both"
)]
pub trait Arith {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
