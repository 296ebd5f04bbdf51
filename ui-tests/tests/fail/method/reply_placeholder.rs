#[rpcx::service]
trait Arith {
    async fn mul(&self, a: i32) -> rpcx::Result<_>;
}

fn main() {}
