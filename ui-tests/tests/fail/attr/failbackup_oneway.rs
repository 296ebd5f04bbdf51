#[rpcx::service]
pub trait Arith {
    #[rpcx(oneway, idempotent, fail_mode = "failbackup", backup_latency = "5ms")]
    async fn note(&self, a: i32) -> rpcx::Result<()>;
    #[rpcx(oneway, backup_latency = "5ms")]
    async fn seen(&self, a: i32) -> rpcx::Result<()>;
}

fn main() {}
