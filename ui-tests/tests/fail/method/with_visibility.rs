#[rpcx::service]
trait Arith {
    /// Multiplies.
    pub async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

struct My;

impl Arith for My {
    async fn mul(&self, a: i32) -> rpcx::Result<i32> {
        Ok(a)
    }
}

async fn call(client: ArithClient) -> rpcx::Result<i32> {
    client.mul(2).await
}

fn main() {}
