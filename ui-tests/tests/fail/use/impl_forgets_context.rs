#[rpcx::service]
pub trait Arith {
    async fn mul(&self, ctx: &rpcx::Context, a: i32) -> rpcx::Result<i32>;
}

struct My;

impl Arith for My {
    async fn mul(&self, a: i32) -> rpcx::Result<i32> {
        Ok(a)
    }
}

fn main() {}
