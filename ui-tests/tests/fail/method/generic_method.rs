#[rpcx::service]
pub trait Arith {
    async fn mul<T>(&self, a: T) -> rpcx::Result<i32>;
}

fn main() {}
