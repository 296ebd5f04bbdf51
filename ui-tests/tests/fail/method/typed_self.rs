#[rpcx::service]
pub trait Arith {
    async fn mul(self: std::sync::Arc<Self>, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
