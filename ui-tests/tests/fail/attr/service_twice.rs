#[rpcx::service]
#[rpcx::service(name = "Arith")]
trait Arith {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
