#[rpcx::service]
pub trait Arith {
    #[rpcx(alias = [1, 2])]
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
