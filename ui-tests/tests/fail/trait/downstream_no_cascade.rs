#[rpcx::service]
pub trait Arith<'a> {
    async fn add(&self, a: i32, b: i32) -> rpcx::Result<i32>;
}

struct Calculator;

impl Arith<'_> for Calculator {
    async fn add(&self, a: i32, b: i32) -> rpcx::Result<i32> {
        Ok(a + b)
    }
}

fn make(channel: rpcx::client::Channel) -> ArithClient {
    let _ = ArithServer::new(Calculator);
    ArithClient::new(channel)
}

fn main() {
    let _ = make;
}
