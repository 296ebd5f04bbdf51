#[derive(serde::Serialize, serde::Deserialize)]
pub struct Args {
    pub a: i32,
}

#[rpcx::service(client = false)]
pub trait Arith {
    async fn mul(&self, args: Args) -> rpcx::Result<i32>;
}

fn call(_: ArithClient) {}

fn main() {
    let _ = call;
}
