#[rpcx::service]
pub trait Arith {
    async fn count(&self, to: i32) -> rpcx::Result<impl Stream<Item = i32>>;
}

fn main() {}
