//! How a server stops: the steps, and the time that each of them has.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::announce::Announced;
use super::bound::Parts;

/// What ends a server's connections and one-way calls.
#[derive(Clone, Debug, Default)]
pub(super) struct Lifetime {
    /// Serve what comes until nothing does, then close.
    pub(super) drain: CancellationToken,
    /// Take no further call, answer those that run, then close.
    pub(super) last_call: CancellationToken,
    /// Stop.
    pub(super) end: CancellationToken,
    /// One-way calls, which outlive their connection.
    pub(super) oneway: TaskTracker,
    pub(super) tally: Arc<Tally>,
}

/// What becomes of the calls of connections that drain.
#[derive(Debug, Default)]
pub(super) struct Tally {
    served: AtomicU64,
    cut: AtomicU64,
    cut_connections: AtomicU64,
}

impl Tally {
    /// Notes how a connection ended.
    pub(super) fn add(&self, served: u64, cut: u64, is_cut: bool) {
        self.served.fetch_add(served, Ordering::Relaxed);
        self.cut.fetch_add(cut, Ordering::Relaxed);
        self.cut_connections.fetch_add(u64::from(is_cut), Ordering::Relaxed);
    }
}

/// What became of the calls of a server that stopped.
///
/// It is about the drain: from the moment on in which the server let no more clients in. A server that
/// loses nothing has `cut() == 0`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct DrainReport {
    served: u64,
    cut: u64,
    cut_connections: u64,
    took: Duration,
}

impl DrainReport {
    /// Counts the calls that were running when the drain began, or came later, and ran to their end. Calls
    /// that their clients gave up are not among them.
    pub fn served(&self) -> u64 {
        self.served
    }

    /// Counts the calls that were dropped because the time was over, one-way calls included.
    pub fn cut(&self) -> u64 {
        self.cut
    }

    /// Counts the connections that were closed because the time was over: their clients took nothing, or
    /// a call was running.
    pub fn cut_connections(&self) -> u64 {
        self.cut_connections
    }

    /// Gives how long it all took, from the wish to stop on.
    pub fn took(&self) -> Duration {
        self.took
    }
}

/// When a server was told to stop, and how long it may take.
#[derive(Clone, Copy)]
pub(super) struct Stopping {
    begun: Instant,
    time: Duration,
}

impl Stopping {
    fn left(self) -> Duration {
        self.time.saturating_sub(self.begun.elapsed())
    }
}

/// Waits until the server is to stop, has its entries taken out, and waits until that has got about.
///
/// This takes at most half of the time, so that calls have some too.
pub(super) async fn leave(
    stop: impl Future<Output = ()>,
    announced: Announced,
    parts: &Parts,
) -> Stopping {
    stop.await;
    let stopping = Stopping { begun: Instant::now(), time: parts.settings.shutdown };
    let is_seen_late = announced.is_seen_late();
    let withdrawn = announced.withdraw();
    let leaving = async {
        withdrawn.await;
        if is_seen_late {
            become_quiet(parts).await;
        }
    };
    if timeout(stopping.time / 2, leaving).await.is_err() {
        tracing::warn!(
            "clients may not know yet that the server stops: there was no more time to tell"
        );
    }
    stopping
}

/// Waits until clients have had time to learn that the server leaves: until none has come for a while, but
/// no longer than the server was told.
async fn become_quiet(parts: &Parts) {
    let begun = Instant::now();
    loop {
        let since = parts.load.last_connection().map_or(begun, |last| last.max(begun));
        let quiet = QUIET.saturating_sub(since.elapsed());
        let left = parts.settings.propagation.saturating_sub(begun.elapsed());
        let pause = quiet.min(left);
        if pause.is_zero() {
            return;
        }
        tokio::time::sleep(pause).await;
    }
}

/// Lets connections and one-way calls end by themselves, and ends them when the time is over.
pub(super) async fn drain(
    stopping: Stopping,
    lifetime: &Lifetime,
    mut connections: JoinSet<()>,
) -> DrainReport {
    lifetime.drain.cancel();
    lifetime.oneway.close();
    let oneway = lifetime.oneway.len();
    let mut oneway_cut = 0;
    if timeout(stopping.left(), ended(lifetime, &mut connections)).await.is_err() {
        lifetime.last_call.cancel();
        if timeout(LAST_CALL, ended(lifetime, &mut connections)).await.is_err() {
            tracing::warn!("calls were still running when the time to stop was over");
            oneway_cut = lifetime.oneway.len();
            lifetime.end.cancel();
            connections.abort_all();
            // A handler that blocks its thread cannot be dropped, and is not waited for.
            let _ = timeout(LAST_CALL, ended(lifetime, &mut connections)).await;
        }
    }
    let [oneway, oneway_cut] = [oneway, oneway_cut].map(|count| count as u64);
    let tally = &lifetime.tally;
    DrainReport {
        served: (tally.served.load(Ordering::Relaxed) + oneway).saturating_sub(oneway_cut),
        cut: tally.cut.load(Ordering::Relaxed) + oneway_cut,
        // Those that block their thread have not even been told.
        cut_connections: tally.cut_connections.load(Ordering::Relaxed) + connections.len() as u64,
        took: stopping.begun.elapsed(),
    }
}

async fn ended(lifetime: &Lifetime, connections: &mut JoinSet<()>) {
    while connections.join_next().await.is_some() {}
    lifetime.oneway.wait().await;
}

/// How long no client may come before a server that is out of the registry is believed to be unknown.
const QUIET: Duration = Duration::from_secs(1);
/// How long calls may take for their last word; the same again for what has to be dropped.
const LAST_CALL: Duration = Duration::from_millis(50);
/// The default for how long clients may take to learn that a server is out of the registry.
pub(super) const PROPAGATION: Duration = Duration::from_secs(2);
