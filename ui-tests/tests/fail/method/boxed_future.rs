#[rpcx::service]
pub trait Arith {
    fn mul(&self, a: i32) -> std::pin::Pin<Box<dyn Future<Output = rpcx::Result<i32>> + Send>>;
}

fn main() {}
