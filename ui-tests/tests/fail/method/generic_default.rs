#[rpcx::service]
trait Arith {
    async fn mul<T = i32>(&self, a: T) -> rpcx::Result<i32>;
}

fn main() {}
