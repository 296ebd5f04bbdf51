#[rpcx::service]
pub trait Arith {
    async fn mul(a: i32) -> rpcx::Result<i32>;
}

fn main() {}
