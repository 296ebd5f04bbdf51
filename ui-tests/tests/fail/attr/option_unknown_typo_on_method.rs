#[rpcx::service]
#[rpcx(atempt_timeout = "1s")]
pub trait Arith {
    #[rpcx(retrise = 3)]
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
