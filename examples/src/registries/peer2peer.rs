//! One fixed server.

use crate::arith::{Args, Calculator, Reply};

/// Arithmetic, at one fixed server.
#[rpcx::service]
#[rpcx(
    registry = "peer2peer",
    servers = "tcp@localhost:8972",
    fail_mode = "failtry",
    select = "random"
)]
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
