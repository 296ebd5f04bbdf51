#[rpcx::service]
pub trait Arith {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

pub fn take(arith: Box<dyn Arith>) -> Box<dyn Arith> {
    arith
}

fn main() {}
