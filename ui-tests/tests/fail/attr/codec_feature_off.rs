#[rpcx::service]
#[rpcx(codec = "protobuf")]
pub trait Arith {
    async fn ping(&self) -> rpcx::Result<()>;
}

fn main() {}
