#[rpcx::service]
pub trait Arith {
    async fn mul(&self, a: std::borrow::Cow<'_, str>) -> rpcx::Result<i32>;
}

fn main() {}
