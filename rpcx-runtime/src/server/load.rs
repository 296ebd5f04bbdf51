//! How busy a server is, for its entries in registries.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::registry::Load;

/// Counts calls and connections since the server began to serve.
#[derive(Debug)]
pub(super) struct LoadCounter {
    since: Instant,
    calls: AtomicU64,
    connections: AtomicU64,
    /// When the last connection came, in nanoseconds after `since`; [`NEVER`] if none has.
    last_connection: AtomicU64,
}

impl LoadCounter {
    pub(super) fn new() -> Self {
        let [calls, connections] = [const { AtomicU64::new(0) }; 2];
        Self { since: Instant::now(), calls, connections, last_connection: AtomicU64::new(NEVER) }
    }

    /// Counts several calls: a connection counts its own and adds them up turn by turn.
    pub(super) fn add_calls(&self, calls: u64) {
        self.calls.fetch_add(calls, Ordering::Relaxed);
    }

    pub(super) fn add_connection(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
        let after = u64::try_from(self.since.elapsed().as_nanos()).unwrap_or(NEVER);
        self.last_connection.store(after, Ordering::Relaxed);
    }

    /// Gives when the last connection came.
    pub(super) fn last_connection(&self) -> Option<Instant> {
        match self.last_connection.load(Ordering::Relaxed) {
            NEVER => None,
            after => self.since.checked_add(Duration::from_nanos(after)),
        }
    }

    /// Gives means a second.
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    pub(super) fn load(&self) -> Load {
        let seconds = self.since.elapsed().as_secs_f64().max(1.0);
        let mean = |count: &AtomicU64| count.load(Ordering::Relaxed) as f64 / seconds;
        Load { calls: mean(&self.calls), connections: mean(&self.connections) }
    }
}

const NEVER: u64 = u64::MAX;
