#[rpcx::service]
pub trait Arith {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
    #[rpcx(name = "Mul")]
    async fn times(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
