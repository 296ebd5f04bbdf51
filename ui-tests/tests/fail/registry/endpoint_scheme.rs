#[rpcx::service]
#[rpcx(registry = "consul", servers = "http://127.0.0.1:8500")]
pub trait Arith {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
