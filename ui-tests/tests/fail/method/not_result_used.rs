#[rpcx::service]
trait Arith {
    async fn mul(&self, a: i32) -> i32;

    async fn note(&self, a: i32);
}

async fn call(client: ArithClient) -> rpcx::Result<i32> {
    client.note(2).await?;
    let product = client.mul(2).await?;
    Ok(product.pow(2))
}

fn main() {}
