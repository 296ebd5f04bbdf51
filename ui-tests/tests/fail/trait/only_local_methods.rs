#[rpcx::service]
pub trait Arith {
    #[rpcx(local)]
    fn zero(&self) -> i32 {
        0
    }
}

fn main() {}
