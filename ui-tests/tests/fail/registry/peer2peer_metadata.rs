#[rpcx::service]
#[rpcx(registry = "peer2peer", servers = "tcp@127.0.0.1:8972?weight=5")]
pub trait Arith {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
