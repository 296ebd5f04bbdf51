#[rpcx::service]
pub trait Arith {
    async fn mul(&self, ctx: &mut rpcx::Context, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
