#[rpcx::service]
pub trait Arith {
    async fn mul(&self, a: Nope) -> rpcx::Result<i32>;
}

fn main() {}
