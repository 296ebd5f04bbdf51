#[rpcx::service]
pub trait Arith {
    async fn mul(&self, #[rpcx(hash_key)] a: i32, b: i32) -> rpcx::Result<i32>;
}

fn main() {}
