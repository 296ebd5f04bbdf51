#[rpcx::service]
pub trait Arith {
    async fn mul(&self, a: &'static str) -> rpcx::Result<i32>;
}

fn main() {}
