#[rpcx::service]
pub trait Arith {
    async fn mul() -> rpcx::Result<i32>;
}

fn main() {}
