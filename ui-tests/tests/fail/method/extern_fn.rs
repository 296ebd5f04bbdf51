#[rpcx::service]
pub trait Arith {
    async extern "C" fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
