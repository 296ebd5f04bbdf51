#[rpcx::service]
#[rpcx(registry = "consul", base_path = "/rpcx_test", servers = "127.0.0.1:8500", consul = "both")]
#[rpcx(update_interval = "30s", session_ttl = "15s", metrics = false, group = "blue", weight = 5)]
pub trait Arith {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

struct My;

impl Arith for My {
    async fn mul(&self, a: i32) -> rpcx::Result<i32> {
        Ok(a)
    }
}

async fn run() -> rpcx::Result<i32> {
    let _ = rpcx::Server::new().add(ArithServer::new(My));
    let arith = ArithClient::connect().await?;
    arith.mul(5).await
}

fn main() {
    let _ = run();
}
