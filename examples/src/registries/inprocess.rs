//! The servers of this process.

use crate::arith::{Args, Calculator, Reply};

/// Arithmetic, at the servers of this process.
#[rpcx::service]
#[rpcx(registry = "inprocess", fail_mode = "failtry", select = "random")]
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
