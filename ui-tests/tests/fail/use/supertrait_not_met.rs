#[rpcx::service]
pub trait Arith: Clone + Sized {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

struct My;

impl Arith for My {
    async fn mul(&self, a: i32) -> rpcx::Result<i32> {
        Ok(a)
    }
}

fn main() {}
