#[rpcx::service]
pub trait Arith {
    async fn mul<'a>(&'a self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
