#[derive(serde::Serialize, serde::Deserialize)]
pub struct Args {
    pub a: i32,
}

#[rpcx::service]
pub trait Arith {
    async fn mul(&self, args: Args) -> rpcx::Result<i32>;
}

struct My;

fn main() {
    let _ = rpcx::Server::new().add(ArithServer::new(My));
}
