#[rpcx::service]
pub trait Arith {
    async fn sum(&self, numbers: [i32]) -> rpcx::Result<i32>;
}

fn main() {}
