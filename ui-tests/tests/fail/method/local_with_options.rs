#[rpcx::service]
pub trait Arith {
    #[rpcx(local, name = "Zero", timeout = "2s")]
    fn zero(&self) -> i32 {
        0
    }

    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
