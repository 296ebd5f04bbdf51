#[rpcx::service]
#[rpcx(registry = "peer2peer", servers = "calculator")]
pub trait Arith {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
