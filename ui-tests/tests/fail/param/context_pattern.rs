#[rpcx::service]
trait Arith {
    async fn mul(&self, rpcx::Context { .. }: &rpcx::Context, a: i32) -> rpcx::Result<i32> {
        Ok(a)
    }
}

async fn call(client: ArithClient) -> rpcx::Result<i32> {
    client.mul(2).await
}

fn main() {}
