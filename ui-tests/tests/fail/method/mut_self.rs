#[rpcx::service]
pub trait Arith {
    async fn mul(&mut self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
