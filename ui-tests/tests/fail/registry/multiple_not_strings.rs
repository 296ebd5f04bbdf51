#[rpcx::service]
#[rpcx(registry = "multiple", servers = [8972, 9981])]
pub trait Arith {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
