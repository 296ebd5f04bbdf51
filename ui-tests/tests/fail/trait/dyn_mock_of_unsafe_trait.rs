#[rpcx::service(dyn, mock)]
pub unsafe trait Arith {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

pub fn take(arith: Box<dyn DynArith>) -> Box<dyn DynArith> {
    let _ = ArithMock::new();
    arith
}

fn main() {}
