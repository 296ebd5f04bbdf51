#[rpcx::service]
pub trait Arith {
    #[rpcx(retry = "always")]
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
