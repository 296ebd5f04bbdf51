#[rpcx::service]
pub trait Arith {
    async fn mul(&self, a: Option<&str>) -> rpcx::Result<i32>;
}

fn main() {}
