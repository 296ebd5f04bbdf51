//! Servers found through etcd.

use crate::arith::{Args, Calculator, Reply};
use rpcx::registry::Etcd;

/// Arithmetic, at servers found through etcd.
#[rpcx::service]
#[rpcx(registry = "etcd", base_path = "/rpcx_test", fail_mode = "failtry", select = "random")]
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

/// Gives the registry at another place than the trait names, if the command line says so.
pub fn elsewhere(servers: &[String], base: Option<&str>) -> Option<Etcd> {
    if servers.is_empty() && base.is_none() {
        return None;
    }
    let usual = ["127.0.0.1:2379".to_owned()];
    let servers = if servers.is_empty() { &usual[..] } else { servers };
    Some(Etcd::new(servers).base_path(base.unwrap_or("/rpcx_test")))
}
