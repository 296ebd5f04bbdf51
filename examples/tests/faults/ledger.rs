//! A service that counts how often each call ran.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rpcx::{Bytes, Result, Server};

/// Counts calls under the number that they bring.
#[rpcx::service]
pub(crate) trait Counting {
    /// May run twice.
    #[rpcx(idempotent)]
    async fn put(&self, id: usize, cargo: Bytes) -> Result<usize>;

    /// May not run twice.
    async fn add(&self, id: usize, cargo: Bytes) -> Result<usize>;
}

/// How often each call ran.
#[derive(Clone)]
pub(crate) struct Ledger(Arc<[AtomicU32]>);

impl Ledger {
    pub(crate) fn new(calls: usize) -> Self {
        Self((0..calls).map(|_| AtomicU32::new(0)).collect())
    }

    pub(crate) fn runs(&self, id: usize) -> u32 {
        self.0[id].load(Ordering::Relaxed)
    }

    /// Serves under the names until the runtime ends.
    pub(crate) async fn serve(&self, names: &[String]) {
        for name in names {
            let server = Server::new().add(CountingServer::new(self.clone())).without_registry();
            tokio::spawn(server.bind(name).await.expect("a free name").serve());
        }
    }

    async fn run(&self, id: usize) -> usize {
        self.0[id].fetch_add(1, Ordering::Relaxed);
        if id.is_multiple_of(3) {
            // Long enough for others to cut the connection meanwhile.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        id
    }
}

impl Counting for Ledger {
    async fn put(&self, id: usize, _: Bytes) -> Result<usize> {
        Ok(self.run(id).await)
    }

    async fn add(&self, id: usize, _: Bytes) -> Result<usize> {
        Ok(self.run(id).await)
    }
}
