#[rpcx::service]
pub trait Arith {
    async fn find(&self, a: i32) -> Option<i32>;
}

fn main() {}
