use rpcx::prelude::*;

/// Multiplies.
#[rpcx(name = "Calc")]
#[rpcx(timeout = "2s")]
pub trait Arith {
    fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
