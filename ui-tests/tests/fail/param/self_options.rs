#[rpcx::service]
trait Arith {
    async fn mul(#[rpcx(ctx)] &self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
