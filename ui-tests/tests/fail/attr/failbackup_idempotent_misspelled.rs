#[rpcx::service]
pub trait Arith {
    #[rpcx(fail_mode = "failbackup", idempotnet)]
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
