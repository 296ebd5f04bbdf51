#[rpcx::service]
pub trait Arith {
    async fn mul(&self, #[rpcx(timeout = "2s")] a: i32) -> rpcx::Result<i32>;
}

fn main() {}
