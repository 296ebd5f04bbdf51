#[rpcx::service]
#[rpcx(registry = "multiple", servers = "tcp@127.0.0.1:8972,tcp@127.0.0.1:9981")]
pub trait Arith {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
