#[rpcx::service]
#[rpcx(registry = "peer2peer", base_path = "/rpcx_test", select = "roundrobin")]
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
