#[rpcx::service]
#[rpcx(registry = "zookeeper", servers = ["zoo-1", "zoo-2:2181"])]
pub trait Arith {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
