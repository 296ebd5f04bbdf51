#[derive(serde::Serialize, serde::Deserialize)]
pub struct Args {
    pub a: i32,
}

#[rpcx::service(client_trait = false)]
pub trait Arith {
    async fn mul(&self, args: Args) -> rpcx::Result<i32>;
}

fn needs(_: &impl Arith) {}

fn call(client: &ArithClient) {
    needs(client);
}

fn main() {
    let _ = call;
}
