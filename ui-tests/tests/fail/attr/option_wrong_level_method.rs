#[rpcx::service]
pub trait Arith {
    #[rpcx(registry = "consul")]
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
