macro_rules! methods {
    () => {};
}

#[rpcx::service]
pub trait Arith {
    methods! {}
}

fn main() {}
