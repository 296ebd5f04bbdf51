#[rpcx::service]
pub trait Arith {
    const V: u32;

    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
