#[rpcx::service]
pub trait Arith {
    #[cfg_attr(all(), cfg(all()))]
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
