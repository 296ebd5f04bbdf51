#[rpcx::service]
pub trait Arith {
    async fn mul(&self, a: i32, args: ...) -> rpcx::Result<i32>;
}

fn main() {}
