#[rpcx::service]
#[rpcx(registry = "mdns", servers = "127.0.0.1:5353")]
pub trait Arith {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
