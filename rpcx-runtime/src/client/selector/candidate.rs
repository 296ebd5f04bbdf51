//! A server that a selector may choose.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use crate::address::Address;
use crate::instance::{Instance, InstanceMetadata};

use super::closest::{self, Place};
use super::{consistent_hash, weighted_round_robin};

/// A server that a selector may choose.
#[derive(Clone, Debug)]
pub struct Candidate {
    profile: Arc<Profile>,
    stats: Arc<Stats>,
}

/// What a registry says of a server, read once.
#[derive(Debug)]
struct Profile {
    instance: Instance,
    key: u64,
    weight: Option<u32>,
    point: Option<[f64; 3]>,
}

/// What a client finds out about a server; it outlives changes of the list.
#[derive(Debug, Default)]
pub(in crate::client) struct Stats {
    /// Calls on their way.
    pending: AtomicUsize,
    /// In nanoseconds; 0 is unknown, the largest number is unreachable.
    round_trip: AtomicU64,
    /// The credit of smooth weighting.
    turn: AtomicI64,
    query_warning: Warned,
    weight_warning: Warned,
    place_warning: Warned,
}

/// What was warned of last, so that a list that comes again does not warn again.
#[derive(Debug, Default)]
struct Warned(AtomicU64);

impl Candidate {
    /// Makes a candidate with no calls on their way: for tests of selectors.
    pub fn new(instance: Instance) -> Self {
        Self::with_stats(instance, Arc::default())
    }

    /// Makes a candidate that goes on with what is known of the server; warns if its metadata is odd.
    pub(in crate::client) fn with_stats(instance: Instance, stats: Arc<Stats>) -> Self {
        let key = consistent_hash::key(instance.address().to_string().as_bytes());
        let weight = weighted_round_robin::weight(&instance);
        let place = closest::place(&instance);
        stats.warn(&instance, weight, place);
        let point = match place {
            Place::At(point) => Some(point),
            Place::Unnamed | Place::Odd => None,
        };
        Self { profile: Arc::new(Profile { instance, key, weight, point }), stats }
    }

    /// Gives where the server listens.
    pub fn address(&self) -> &Address {
        self.profile.instance.address()
    }

    /// Gives what the server says of itself in the registry.
    pub fn metadata(&self) -> &InstanceMetadata {
        self.profile.instance.metadata()
    }

    /// Gives the `weight`: 1 if the server names none that is a number, as in Go rpcx 1.9.4; `None` if
    /// it is too large to count. Of a weight that is no number, or too large, a warning tells once.
    pub fn weight(&self) -> Option<u32> {
        self.profile.weight
    }

    /// Gives how many calls of this channel are on their way to the server.
    pub fn pending(&self) -> usize {
        self.stats.pending()
    }

    /// Gives how long the server last took to answer a heartbeat: `None` until the first answer,
    /// and if no selector asks for it; [`Duration::MAX`] if it did not answer.
    pub fn round_trip(&self) -> Option<Duration> {
        match self.stats.round_trip.load(Ordering::Relaxed) {
            0 => None,
            u64::MAX => Some(Duration::MAX),
            nanoseconds => Some(Duration::from_nanos(nanoseconds)),
        }
    }

    /// Gives a number that stands for the address, the same in every process.
    pub(super) fn key(&self) -> u64 {
        self.profile.key
    }

    /// Gives the place on the unit sphere, if the server says where it is.
    pub(super) fn point(&self) -> Option<[f64; 3]> {
        self.profile.point
    }

    /// Gives the credit of smooth weighting.
    pub(super) fn turn(&self) -> &AtomicI64 {
        &self.stats.turn
    }

    #[cfg(test)]
    pub(super) fn stats(&self) -> &Arc<Stats> {
        &self.stats
    }
}

impl Stats {
    /// Notes that a call is on its way.
    pub(in crate::client) fn begin(&self) {
        self.pending.fetch_add(1, Ordering::Relaxed);
    }

    /// Gives how many calls are on their way.
    pub(in crate::client) fn pending(&self) -> usize {
        // Relaxed: a count that is a moment old chooses as well.
        self.pending.load(Ordering::Relaxed)
    }

    /// Notes that a call is over.
    pub(in crate::client) fn end(&self) {
        self.pending.fetch_sub(1, Ordering::Relaxed);
    }

    /// Notes how long the server took to answer; `None` if it did not.
    pub(in crate::client) fn measured(&self, round_trip: Option<Duration>) {
        let nanoseconds = round_trip.map_or(u64::MAX, |round_trip| {
            u64::try_from(round_trip.as_nanos()).unwrap_or(u64::MAX - 1).clamp(1, u64::MAX - 1)
        });
        self.round_trip.store(nanoseconds, Ordering::Relaxed);
    }

    fn warn(&self, instance: &Instance, weight: Option<u32>, place: Place) {
        let (address, metadata) = (instance.address(), instance.metadata());
        // Whatever else it says: figures that change are no reason to warn again.
        if self.query_warning.is_due(metadata.is_malformed(), &[]) {
            tracing::warn!(%address, %metadata, "no URL query: what does not fit is ignored");
        }
        let value = |key| metadata.get(key).unwrap_or_default();
        let given = value("weight");
        let is_odd = !given.is_empty() && metadata.weight().is_none();
        if self.weight_warning.is_due(is_odd, &[given]) {
            let meaning = match weight {
                Some(_) => "no weight: it counts as 1",
                None => "too large a weight: none by weighted selectors",
            };
            tracing::warn!(%address, weight = given, "{meaning}");
        }
        let (latitude, longitude) = (value("latitude"), value("longitude"));
        if self.place_warning.is_due(place == Place::Odd, &[latitude, longitude]) {
            tracing::warn!(%address, latitude, longitude, "no place: never the closest server");
        }
    }
}

impl Warned {
    /// Tells whether `given` is odd, and not what was warned of last.
    fn is_due(&self, is_odd: bool, given: &[&str]) -> bool {
        // 0 stands for nothing.
        let now = if is_odd { consistent_hash::key_of_parts(given).max(1) } else { 0 };
        self.0.swap(now, Ordering::Relaxed) != now && is_odd
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use tracing::span;
    use tracing::subscriber::with_default;

    use super::super::samples::instance;
    use super::*;

    /// Counts the events.
    struct Counter(Arc<AtomicUsize>);

    impl tracing::Subscriber for Counter {
        fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
            true
        }
        fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
            span::Id::from_u64(1)
        }
        fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
        fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
        fn event(&self, _: &tracing::Event<'_>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        fn enter(&self, _: &span::Id) {}
        fn exit(&self, _: &span::Id) {}
    }

    #[test]
    fn odd_metadata_is_warned_of_once() {
        let count = Arc::new(AtomicUsize::new(0));
        let stats = Arc::new(Stats::default());
        let warnings = |metadata| {
            let before = count.load(Ordering::Relaxed);
            Candidate::with_stats(instance("localhost:1", metadata), Arc::clone(&stats));
            count.load(Ordering::Relaxed) - before
        };
        with_default(Counter(Arc::clone(&count)), || {
            assert_eq!(warnings("weight=5&state=inactive&color=%20"), 0);
            assert_eq!(warnings("weight="), 0);
            assert_eq!(warnings("weight=heavy&state=inactive"), 1);
            assert_eq!(warnings("weight=heavy&calls=1.00"), 0);
            assert_eq!(warnings("weight=-1"), 1);
            assert_eq!(warnings("weight=5000000000"), 1);
            assert_eq!(warnings("weight=5000000000&calls=1.00"), 0);
            assert_eq!(warnings("weight=6000000000&latitude=1"), 2);
            assert_eq!(warnings("weight=1&latitude=1"), 0);
            assert_eq!(warnings("weight=6000000000&latitude=1&longitude=1"), 1);
            assert_eq!(warnings("latitude=1&longitude=1000"), 1);
            assert_eq!(warnings("%zz"), 1);
            assert_eq!(warnings("%zz&calls=1.00"), 0);
            assert_eq!(warnings(""), 0);
            assert_eq!(warnings("%zz"), 1);
        });
    }

    #[test]
    fn what_is_known_outlives_a_change_of_the_list() {
        let old = Candidate::new(instance("localhost:1", "weight=2"));
        old.stats().begin();
        old.stats().measured(Some(Duration::ZERO));
        let new = Candidate::with_stats(instance("localhost:1", "weight=3"), old.stats().clone());
        assert_eq!((new.weight(), new.pending()), (Some(3), 1));
        assert_eq!(new.round_trip(), Some(Duration::from_nanos(1)));
        new.stats().end();
        new.stats().measured(None);
        assert_eq!((old.pending(), old.round_trip()), (0, Some(Duration::MAX)));
        new.stats().measured(Some(Duration::MAX));
        assert_eq!(old.round_trip(), Some(Duration::from_nanos(u64::MAX - 1)));
    }

    #[test]
    fn nothing_is_known_of_a_new_server() {
        let new = Candidate::new(instance("localhost:1", ""));
        assert_eq!((new.weight(), new.pending(), new.round_trip()), (Some(1), 0, None));
        assert_eq!(new.address().to_string(), "tcp@localhost:1");
    }
}
