#[rpcx::service]
pub trait Arith {
    async fn mul(&self, a: i32) -> rpcx::Result<impl Into<i32>>;
}

fn main() {}
