#[rpcx::service]
#[rpcx(select = "weighted_round_robin")]
pub trait Arith {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
