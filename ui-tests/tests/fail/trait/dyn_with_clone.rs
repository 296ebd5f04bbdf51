#[rpcx::service(dyn)]
pub trait Arith: Clone + std::fmt::Debug
where
    Self: Sized,
{
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

// What is wrong with the trait is told once, not at the uses of its twin.
pub fn take(arith: Box<dyn DynArith>) -> Box<dyn DynArith> {
    arith
}

fn main() {}
