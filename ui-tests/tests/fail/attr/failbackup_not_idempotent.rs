#[rpcx::service]
pub trait Arith {
    #[rpcx(fail_mode = "failbackup", backup_latency = "5ms")]
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
    #[rpcx(fail_mode = "failbackup", idempotent)]
    async fn add(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
