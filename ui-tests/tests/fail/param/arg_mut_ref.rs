#[rpcx::service]
pub trait Arith {
    async fn mul(&self, a: &mut i32) -> rpcx::Result<i32>;
}

fn main() {}
