#[rpcx::service]
pub trait Arith {
    fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
