#[rpcx::service]
trait Arith {
    async fn mul(&self, a: &'a str) -> rpcx::Result<i32>;
}

fn main() {}
