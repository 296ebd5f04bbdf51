#[rpcx::service]
pub trait Arith {
    async fn mul(&self, a: i32, ctx: &rpcx::Context) -> rpcx::Result<i32>;
}

fn main() {}
