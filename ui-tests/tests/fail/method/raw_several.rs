#[rpcx::service(codec = "raw")]
pub trait Arith {
    async fn mul(&self, a: i32, b: i32) -> rpcx::Result<i32>;
}

fn main() {}
