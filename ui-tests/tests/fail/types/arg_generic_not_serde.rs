#[rpcx::service]
pub trait Arith<K: Send> {
    async fn mul(&self, a: K) -> rpcx::Result<i32>;
}

fn main() {}
