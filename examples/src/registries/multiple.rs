//! Two fixed servers.

use crate::arith::{Args, Calculator, Reply};

/// Arithmetic, at two fixed servers.
#[rpcx::service]
#[rpcx(registry = "multiple", servers = ["tcp@localhost:8972", "tcp@localhost:9981"], fail_mode = "failtry", select = "random")]
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
