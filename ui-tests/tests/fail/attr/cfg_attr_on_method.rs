#[rpcx::service]
pub trait Arith {
    #[cfg_attr(all(), rpcx(name = "M"))]
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
