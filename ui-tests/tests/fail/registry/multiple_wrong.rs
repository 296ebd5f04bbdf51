#[rpcx::service]
#[rpcx(
    registry = "multiple",
    servers = [
        "tcp@127.0.0.1:8972?weight=5",
        "127.0.0.1:8972?weight=5",
        "tpc@127.0.0.1:8972",
        "quic@127.0.0.1:8972",
        "tcp@127.0.0.1:99999",
        "tcp@127.0.0.1:http",
        "tcp@127.0.0.1",
        "tcp@256.0.0.1:8972",
        "tcp@::1:8972",
        "tcp@:8972",
        "tcp@my host:8972",
        "unix@",
    ]
)]
pub trait Arith {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

fn main() {}
