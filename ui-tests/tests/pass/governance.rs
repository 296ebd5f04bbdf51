//! Every option about servers that fail or are slow, and what a method has of its own.

use rpcx::__private::Service;

macro_rules! selectors {
    ($($name:ident $word:literal),+) => {$(
        mod $name {
            #[rpcx::service(select = $word)]
            pub trait Arith {
                async fn mul(&self, #[rpcx(hash_key)] a: i32, b: i32) -> rpcx::Result<i32>;
            }
        }
    )+};
}

selectors! {
    a "random", b "round_robin", c "weighted_round_robin", d "weighted_ping", e "consistent_hash",
    f "closest", g "least_pending"
}

#[rpcx::service]
#[rpcx(timeout = "3s", attempt_timeout = "1s", fail_mode = "failover", retries = 5)]
#[rpcx(retry = "at_least_once", retry_interval = "50ms", backup_latency = "20ms")]
pub trait Arith {
    async fn mul(&self, a: i32, #[rpcx(hash_key)] b: i32) -> rpcx::Result<i32>;
    #[rpcx(idempotent, fail_mode = "failbackup", backup_latency = "5ms", retries = 0, retry = "safe")]
    async fn get(&self, #[rpcx(hash_key = true)] key: &str) -> rpcx::Result<i32>;
    #[rpcx(oneway, fail_mode = "failtry", attempt_timeout = "100ms", retry_interval = "1s")]
    async fn note(&self, ctx: &rpcx::Context, #[rpcx(hash_key)] a: i32) -> rpcx::Result<()>;
}

/// Failbackup is for the methods it suits: a call of `add` is refused unless it names another mode.
#[rpcx::service(fail_mode = "failbackup")]
pub trait Mixed {
    #[rpcx(idempotent)]
    async fn get(&self) -> rpcx::Result<i32>;
    async fn add(&self, a: i32) -> rpcx::Result<()>;
    #[rpcx(oneway)]
    async fn note(&self, a: i32) -> rpcx::Result<()>;
}

struct My;

impl Arith for My {
    async fn mul(&self, a: i32, b: i32) -> rpcx::Result<i32> {
        Ok(a * b)
    }

    async fn get(&self, _: &str) -> rpcx::Result<i32> {
        Ok(1)
    }

    async fn note(&self, _: &rpcx::Context, _: i32) -> rpcx::Result<()> {
        Ok(())
    }
}

fn main() {
    let methods = ArithServer::new(My).methods();
    assert_eq!(methods.iter().map(|method| method.name()).collect::<Vec<_>>(), ["Mul", "Get", "Note"]);
}
