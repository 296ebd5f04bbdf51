use rpcx::rpcx;

pub trait Arith {
    #[rpcx(name = "Multiply")]
    fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
