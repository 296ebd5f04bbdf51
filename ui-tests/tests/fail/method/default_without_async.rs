#[rpcx::service]
pub trait Arith {
    fn mul(&self, a: i32) -> impl Future<Output = rpcx::Result<i32>> + Send {
        async move { Ok(a) }
    }
}

fn main() {}
