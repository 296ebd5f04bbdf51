#[rpcx::service]
#[rpcx(registry = "zookeeper", servers = "127.0.0.1:2181/rpcx")]
pub trait Arith {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
