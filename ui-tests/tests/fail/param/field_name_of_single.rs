#[rpcx::service]
pub trait Arith {
    async fn mul(&self, #[rpcx(name = "A")] a: i32) -> rpcx::Result<i32>;
}

fn main() {}
