#[rpcx::service]
pub trait Arith {
    #[rpcx(oneway = "yes")]
    async fn note(&self, a: i32) -> rpcx::Result<()>;
}

fn main() {}
