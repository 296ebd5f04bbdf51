#[rpcx::service]
pub trait Arith {
    async fn mul(&self, #[rpcx(ctx, arg)] ctx: &i32) -> rpcx::Result<i32>;
}

fn main() {}
