#[rpcx::service]
pub trait Arith {
    async fn map(&self, pointer: *const u8) -> rpcx::Result<Vec<fn(i32) -> i32>>;
}

fn main() {}
