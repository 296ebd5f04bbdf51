#[rpcx::service]
#[rpcx(regsitry = "multiple", base_path = "/rpcx_test", group = "blue")]
pub trait Arith {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
