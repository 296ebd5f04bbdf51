//! The mistake is told once; what uses the rest of the trait compiles.

#[rpcx::service(dyn, mock)]
pub trait Arith {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
    async fn add(&mut self, a: i32) -> rpcx::Result<i32>;
}

pub fn served() -> rpcx::Server {
    let mock: Box<dyn DynArith> = Box::new(ArithMock::new().on_mul(|a| Ok(a)));
    rpcx::Server::new().add(ArithServer::new(mock))
}

fn main() {}
