#[rpcx::service]
pub trait Arith {
    async fn mul(&self, #[cfg(all())] a: i32) -> rpcx::Result<i32>;
}

fn main() {}
