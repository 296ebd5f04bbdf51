//! Servers found by multicast DNS.

use crate::arith::{Args, Calculator, Reply};

/// Arithmetic, at servers found by multicast DNS.
#[rpcx::service]
#[rpcx(registry = "mdns", fail_mode = "failtry", select = "random")]
pub trait Arith {
    /// Multiplies.
    #[rpcx(idempotent)]
    async fn mul(&self, args: Args) -> rpcx::Result<Reply>;
}

impl Arith for Calculator {
    async fn mul(&self, args: Args) -> rpcx::Result<Reply> {
        crate::arith::Arith::mul(self, args).await
    }
}
