#[rpcx::service]
pub trait Arith {
    async fn mul(&self, a: i32, #[rpcx(name = "a")] b: i32) -> rpcx::Result<i32>;
}

fn main() {}
