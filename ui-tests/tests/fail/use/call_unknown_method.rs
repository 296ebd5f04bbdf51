#[derive(serde::Serialize, serde::Deserialize)]
pub struct Args {
    pub a: i32,
}

#[rpcx::service]
pub trait Arith {
    async fn mul(&self, args: Args) -> rpcx::Result<i32>;
}

async fn call(client: ArithClient) -> rpcx::Result<i32> {
    client.mull(Args { a: 1 }).await
}

fn main() {
    let _ = call;
}
