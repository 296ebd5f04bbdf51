#[rpcx::service]
trait Arith {
    async fn mul(&self, a: impl Into<i32>) -> rpcx::Result<i32>;
}

struct My;

impl Arith for My {
    async fn mul(&self, a: impl Into<i32>) -> rpcx::Result<i32> {
        std::future::ready(()).await;
        Ok(a.into())
    }
}

fn main() {}
