#[rpcx::service]
#[rpcx(registry = "consul", base_path = /rpcx)]
pub trait Arith {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
