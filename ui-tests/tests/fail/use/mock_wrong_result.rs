#[rpcx::service(mock)]
pub trait Arith {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {
    let _ = ArithMock::new().on_mul(|a| a);
}
