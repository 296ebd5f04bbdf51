use rpcx::Context;

#[rpcx::service]
pub trait Arith {
    async fn mul(&self, ctx: &Context, other: &Context) -> rpcx::Result<i32>;
}

fn main() {}
