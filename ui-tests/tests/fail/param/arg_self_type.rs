#[rpcx::service]
pub trait Arith {
    async fn mul(&self, other: Vec<Self>) -> rpcx::Result<i32>;
}

fn main() {}
