#[rpcx::service]
pub trait Arith {
    async fn mul(&self, #[serde(default)] a: i32) -> rpcx::Result<i32>;
}

fn main() {}
