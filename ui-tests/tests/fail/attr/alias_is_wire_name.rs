#[rpcx::service]
pub trait Arith {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
    #[rpcx(alias = ["Mul"])]
    async fn times(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
