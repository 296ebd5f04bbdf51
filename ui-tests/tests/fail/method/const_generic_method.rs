#[rpcx::service]
pub trait Arith {
    async fn sum<const N: usize>(&self, a: [i32; N]) -> rpcx::Result<i32>;
}

fn main() {}
