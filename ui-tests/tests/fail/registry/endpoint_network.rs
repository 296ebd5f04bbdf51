#[rpcx::service]
#[rpcx(registry = "etcd", servers = ["tcp@127.0.0.1:2379"])]
pub trait Arith {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
