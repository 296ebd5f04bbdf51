#[rpcx::service]
#[rpcx(retries = "many", backup_latency)]
pub trait Arith {
    #[rpcx(retries = -1)]
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
