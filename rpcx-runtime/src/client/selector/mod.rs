//! How a server is chosen among those that may be called.
//!
//! A [`Selector`] sees [`Candidate`]s: the servers that the registry names, the filters let through,
//! and that are not out of use for the moment. It answers with the place of one of them.
//!
//! | selector | by name | Go rpcx 1.9.4 |
//! |---|---|---|
//! | [`Random`] | `random` | `RandomSelect` |
//! | [`RoundRobin`] | `round_robin` | `RoundRobin` |
//! | [`WeightedRoundRobin`] | `weighted_round_robin` | `WeightedRoundRobin` |
//! | [`WeightedPing`] | `weighted_ping` | `WeightedICMP` |
//! | [`ConsistentHash`] | `consistent_hash` | `ConsistentHash` |
//! | [`Closest`] | `closest` | `Closest` |
//! | [`LeastPending`] | `least_pending` | – |
//! | your own [`Selector`] | | `SelectByUser` |

mod candidate;
mod closest;
mod consistent_hash;
mod least_pending;
mod random;
mod round_robin;
#[cfg(test)]
mod samples;
mod selection;
mod smooth;
#[cfg(test)]
mod tests;
mod weighted_ping;
mod weighted_round_robin;

use std::fmt;
use std::sync::Arc;

pub use candidate::Candidate;
pub(super) use candidate::Stats;
pub use closest::{Closest, LocationError};
pub use consistent_hash::ConsistentHash;
pub(super) use consistent_hash::key_of_call;
pub use least_pending::LeastPending;
pub use random::Random;
pub use round_robin::RoundRobin;
pub(super) use selection::KeySource;
pub use selection::Selection;
pub use weighted_ping::WeightedPing;
pub use weighted_round_robin::WeightedRoundRobin;

use crate::modes::SelectMode;

/// Chooses a server for an attempt.
///
/// One selector serves all calls of a channel, at the same time: it holds what it remembers in atomics
/// or behind a lock of its own.
///
/// ```
/// use rpcx::client::selector::{Candidate, Selection, Selector};
///
/// /// Prefers the servers that say of themselves that they are new.
/// #[derive(Debug)]
/// struct Newest;
///
/// impl Selector for Newest {
///     fn select(&self, candidates: &[Candidate], _: &Selection<'_>) -> Option<usize> {
///         let version = |at: &usize| candidates[*at].metadata().get("version").map(str::to_owned);
///         (0..candidates.len()).max_by_key(version)
///     }
/// }
/// ```
pub trait Selector: fmt::Debug + Send + Sync + 'static {
    /// Chooses one of `candidates` by its place; there is at least one.
    ///
    /// `None` means that none of them will do: the call then fails with
    /// [`Error::NoServer`](crate::Error::NoServer), as it does for a place that does not exist.
    ///
    /// The candidates are in the order of the registry's list, which is sorted by address. It is called
    /// for every attempt, so it should be quick, and must not block.
    fn select(&self, candidates: &[Candidate], selection: &Selection<'_>) -> Option<usize>;

    /// Tells whether [`Candidate::round_trip`] is wanted: only then it is measured. It is not, unless
    /// a selector says so.
    fn wants_round_trips(&self) -> bool {
        false
    }

    /// Tells whether [`Candidate::pending`] is wanted: only then it is counted. It is, unless a selector
    /// says otherwise, which saves two shared counters a call.
    fn wants_pending(&self) -> bool {
        true
    }
}

impl<T: Selector + ?Sized> Selector for Arc<T> {
    fn select(&self, candidates: &[Candidate], selection: &Selection<'_>) -> Option<usize> {
        (**self).select(candidates, selection)
    }

    fn wants_round_trips(&self) -> bool {
        (**self).wants_round_trips()
    }

    fn wants_pending(&self) -> bool {
        (**self).wants_pending()
    }
}

/// Makes the selector of a name; `None` for [`Closest`], which has to be told where the client is.
pub(super) fn of(mode: SelectMode) -> Option<Arc<dyn Selector>> {
    Some(match mode {
        SelectMode::Random => Arc::new(Random),
        SelectMode::RoundRobin => Arc::new(RoundRobin::new()),
        SelectMode::WeightedRoundRobin => Arc::new(WeightedRoundRobin::new()),
        SelectMode::WeightedPing => Arc::new(WeightedPing::new()),
        SelectMode::ConsistentHash => Arc::new(ConsistentHash),
        SelectMode::Closest => return None,
        SelectMode::LeastPending => Arc::new(LeastPending),
    })
}
