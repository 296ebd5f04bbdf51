#[rpcx::service]
#[rpcx(codec = "jsn", timeout = "5", nmae = "Calc")]
pub trait Arith {
    fn mul(&self, a: i32) -> rpcx::Result<i32>;
    async fn add(&self, a: i32);
}

fn main() {}
