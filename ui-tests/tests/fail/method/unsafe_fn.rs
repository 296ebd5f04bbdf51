#[rpcx::service]
pub trait Arith {
    async unsafe fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
