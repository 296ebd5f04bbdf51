pub struct Bad;

#[rpcx::service]
pub trait Arith {
    async fn mul(&self, a: Vec<Bad>) -> rpcx::Result<i32>;
}

fn main() {}
