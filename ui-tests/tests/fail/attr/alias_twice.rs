#[rpcx::service]
pub trait Arith {
    #[rpcx(alias = ["Times", "Times"])]
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
