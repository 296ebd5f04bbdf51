#[rpcx::service]
#[rpcx(registry = "consull", base_path = "a b", nmae = "Calc")]
pub trait Arith {
    fn mul(&self, a: i32) -> rpcx::Result<i32>;
    async fn add(&self, a: i32);
}

fn main() {}
