#[rpcx::service]
#[rpcx(registry = "consul", servers = "127.0.0.1:99999")]
pub trait Arith {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
