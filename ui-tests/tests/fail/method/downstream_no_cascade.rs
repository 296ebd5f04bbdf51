#[rpcx::service]
#[rpcx(codec = "jsn")]
pub trait Arith {
    async fn add(&self, a: i32, b: i32) -> rpcx::Result<i32>;
    fn mul(&self, a: i32, b: i32) -> rpcx::Result<i32>;
    async fn sub(&mut self, a: i32, b: i32) -> rpcx::Result<i32>;
}

struct Calculator;

impl Arith for Calculator {
    async fn add(&self, a: i32, b: i32) -> rpcx::Result<i32> {
        Ok(a + b)
    }

    fn mul(&self, a: i32, b: i32) -> rpcx::Result<i32> {
        Ok(a * b)
    }

    async fn sub(&mut self, a: i32, b: i32) -> rpcx::Result<i32> {
        Ok(a - b)
    }
}

async fn call(client: ArithClient) -> rpcx::Result<i32> {
    let _ = rpcx::Server::new().add(ArithServer::new(Calculator));
    let sum = client.add(1, 2).await?;
    client.mul(sum, client.sub(3, 4).await?).await
}

fn main() {
    let _ = call;
}
