#[rpcx::service]
#[rpcx(base_path = "/rpcx_test", update_interval = "30s", weight = 5)]
pub trait Arith {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
