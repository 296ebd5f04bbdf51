//! How many bytes of requests a server holds.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts what the connections of a server hold of requests that came and are not done with.
///
/// A connection tells of changes at most once each time it looks at its socket, and only of what it holds
/// beyond [`FREE`]: calls that are done with at once cost nothing here.
#[derive(Debug)]
pub(super) struct RequestBudget {
    held: AtomicUsize,
    limit: usize,
}

impl RequestBudget {
    pub(super) fn new(limit: usize) -> Self {
        Self { held: AtomicUsize::new(0), limit }
    }

    /// Notes that one connection's share is another than before.
    pub(super) fn change(&self, before: usize, now: usize) {
        // Relaxed: the sum orders nothing but itself.
        match now.checked_sub(before) {
            Some(more) => self.held.fetch_add(more, Ordering::Relaxed),
            None => self.held.fetch_sub(before - now, Ordering::Relaxed),
        };
    }

    /// Tells whether nothing more is to be taken in.
    pub(super) fn is_exhausted(&self) -> bool {
        self.held.load(Ordering::Relaxed) >= self.limit
    }
}

/// Gives what counts of what a connection holds.
pub(super) fn share(held: usize) -> usize {
    held.saturating_sub(FREE)
}

/// What a connection may hold in any case, in bytes: small calls and heartbeats go on while large ones wait.
const FREE: usize = 32 << 10;
/// What a call that runs counts for, in bytes, and a request up to this size with it.
pub(super) const CALL: usize = 1 << 10;
/// The default limit, in bytes.
pub(super) const DEFAULT: usize = 256 << 20;
