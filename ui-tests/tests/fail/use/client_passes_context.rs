#[rpcx::service]
pub trait Arith {
    async fn mul(&self, ctx: &rpcx::Context, a: i32) -> rpcx::Result<i32>;
}

async fn uses(arith: &ArithClient, ctx: &rpcx::Context) -> rpcx::Result<i32> {
    arith.mul(ctx, 1).await
}

fn main() {}
