#[rpcx::service]
pub trait Arith {
    #[rpcx(color = "red")]
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
