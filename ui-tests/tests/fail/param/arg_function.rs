#[rpcx::service]
pub trait Arith {
    async fn map(&self, function: fn(i32) -> i32) -> rpcx::Result<i32>;
}

fn main() {}
