#[rpcx::service]
#[rpcx(registry = "consul", consul = "services")]
pub trait Arith {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
