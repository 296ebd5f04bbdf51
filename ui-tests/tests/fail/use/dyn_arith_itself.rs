#[rpcx::service]
pub trait Arith {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn uses(_: Box<dyn Arith>) {}

fn main() {}
