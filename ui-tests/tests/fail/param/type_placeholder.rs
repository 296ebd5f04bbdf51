#[rpcx::service]
trait Arith {
    async fn mul(&self, a: _, b: Vec<_>) -> rpcx::Result<i32>;
}

fn main() {}
