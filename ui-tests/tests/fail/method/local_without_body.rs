#[rpcx::service]
pub trait Arith {
    #[rpcx(local)]
    fn zero(&self) -> i32;

    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
