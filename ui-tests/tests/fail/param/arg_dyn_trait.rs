#[rpcx::service]
pub trait Arith {
    async fn mul(&self, a: Box<dyn std::fmt::Debug>) -> rpcx::Result<i32>;
}

fn main() {}
