#[rpcx::service]
pub trait Arith {
    async fn mul(&self, a: i32, b: i32) -> rpcx::Result<i32>;
}

async fn call(client: ArithClient) -> rpcx::Result<i32> {
    client.mul(1, "two").await
}

fn main() {
    let _ = call;
}
