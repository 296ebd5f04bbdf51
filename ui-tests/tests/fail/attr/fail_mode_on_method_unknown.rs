#[rpcx::service]
pub trait Arith {
    #[rpcx(fail_mode = "failover")]
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
    #[rpcx(fail_mode = "failsafe")]
    async fn add(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
