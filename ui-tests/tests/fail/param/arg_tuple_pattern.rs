#[rpcx::service]
pub trait Arith {
    async fn mul(&self, (a, b): (i32, i32)) -> rpcx::Result<i32>;
}

fn main() {}
