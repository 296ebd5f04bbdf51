#[rpcx::service]
#[rpcx(name = "Arith")]
pub struct Calculator;

fn main() {}
