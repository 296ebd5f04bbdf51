//! The service that writes down which calls it ran: what the calls' outcomes are held against.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rpcx::{Bytes, Error, Result};

use crate::trace::{Trace, now};

/// Writes calls down under the number that they bring.
#[rpcx::service]
pub(crate) trait Ledger {
    /// May run twice.
    #[rpcx(idempotent)]
    async fn put(&self, id: u64, work: u64, cargo: Bytes) -> Result<u64>;

    /// May not run twice.
    async fn add(&self, id: u64, work: u64, cargo: Bytes) -> Result<u64>;
}

/// What ran: it outlives the servers, as truth does.
#[derive(Clone, Debug, Default)]
pub(crate) struct Truth {
    runs: Arc<Mutex<HashMap<u64, Vec<Run>>>>,
    trace: Trace,
}

/// A call that ran.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) server: usize,
    pub(crate) at: Duration,
}

/// The service at one server.
pub(crate) struct Clerk {
    pub(crate) server: usize,
    pub(crate) truth: Truth,
}

impl Truth {
    pub(crate) fn new(trace: Trace) -> Self {
        Self { runs: Arc::default(), trace }
    }

    /// Gives where and when the call ran.
    pub(crate) fn runs(&self, id: u64) -> Vec<Run> {
        self.lock().get(&id).cloned().unwrap_or_default()
    }

    pub(crate) fn all(&self) -> Vec<(u64, Vec<Run>)> {
        let mut all: Vec<_> = self.lock().iter().map(|(id, runs)| (*id, runs.clone())).collect();
        all.sort_unstable_by_key(|(id, _)| *id);
        all
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Vec<Run>>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clerk {
    async fn run(&self, id: u64, work: u64) -> Result<u64> {
        let run = Run { server: self.server, at: now() };
        self.truth.lock().entry(id).or_default().push(run);
        self.truth.trace.note(run.at, format!("server {} runs {id}", self.server));
        if work > 0 {
            tokio::time::sleep(Duration::from_millis(work)).await;
        }
        if is_refused(id) { Err(Error::service(REFUSED)) } else { Ok(id) }
    }
}

impl Ledger for Clerk {
    async fn put(&self, id: u64, work: u64, _: Bytes) -> Result<u64> {
        self.run(id, work).await
    }

    async fn add(&self, id: u64, work: u64, _: Bytes) -> Result<u64> {
        self.run(id, work).await
    }
}

/// Tells whether the service answers this call with an error of its own.
pub(crate) fn is_refused(id: u64) -> bool {
    id.is_multiple_of(41)
}

/// The text of that error.
pub(crate) const REFUSED: &str = "refused";
