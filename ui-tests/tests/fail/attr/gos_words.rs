#[rpcx::service]
#[rpcx(select = "WeightedICMP", fail_mode = "Failover", retry = "AtLeastOnce")]
pub trait Arith {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
