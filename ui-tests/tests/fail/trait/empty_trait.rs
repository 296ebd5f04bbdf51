#[rpcx::service]
pub trait Arith {}

fn main() {}
