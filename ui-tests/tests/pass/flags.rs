//! What the options say about methods reaches both sides.

use rpcx::__private::Service;

#[rpcx::service]
#[rpcx(timeout = "1m30s")]
pub trait Arith {
    #[rpcx(oneway)]
    async fn note(&self, a: i32) -> rpcx::Result<()>;
    #[rpcx(idempotent, timeout = "250ms")]
    async fn get(&self, a: i32) -> Result<i32, rpcx::Error>;
    #[rpcx(oneway = false, idempotent = false)]
    async fn plain(&self) -> rpcx::Result<i32>;
}

struct My;

impl Arith for My {
    async fn note(&self, _: i32) -> rpcx::Result<()> {
        Ok(())
    }

    async fn get(&self, a: i32) -> rpcx::Result<i32> {
        Ok(a)
    }

    async fn plain(&self) -> rpcx::Result<i32> {
        Ok(1)
    }
}

fn main() {
    let methods = ArithServer::new(My).methods();
    let flags: Vec<_> =
        methods.iter().map(|method| (method.is_oneway(), method.is_idempotent())).collect();
    assert_eq!(flags, [(true, false), (false, true), (false, false)]);
}
