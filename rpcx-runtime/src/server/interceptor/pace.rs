//! Whether something comes too often: of one kind, or by key in bounded memory.

use std::cell::Cell;
use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Add;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, Reference};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::ShrinkableKeyedStateStore;
use governor::state::{InMemoryState, NotKeyed, StateStore};
use governor::{NotUntil, RateLimiter};
use tokio::time::Instant;

use super::rate::Rate;

/// Tells whether something comes too often.
#[derive(Debug)]
pub(super) struct Pace(RateLimiter<NotKeyed, InMemoryState, TokioClock, Checked>);

type Checked = NoOpMiddleware<Moment>;

impl Pace {
    pub(super) fn new(rate: Rate) -> Self {
        Self(RateLimiter::direct_with_clock(rate.quota(), TokioClock))
    }

    /// Counts one; if that is too many, tells how long to wait.
    pub(super) fn check(&self) -> Result<(), Duration> {
        self.reserve(Duration::ZERO).map(drop)
    }

    /// Counts one at the first moment at which that is not too many, and tells how long to wait for that. If it
    /// is longer than `patience`, nothing is counted.
    pub(super) fn reserve(&self, patience: Duration) -> Result<Duration, Duration> {
        reserve(patience, || self.0.check())
    }
}

/// Tells of each key whether it comes too often.
///
/// So many keys are remembered at most, as long as what they did counts. Those beyond share one count: who
/// comes from very many addresses gets as much as one.
#[derive(Debug)]
pub(super) struct PaceByKey<K: Hash + Eq + Clone> {
    limiter: RateLimiter<K, Shared<K>, TokioClock, Checked>,
    store: Shared<K>,
    swept: Mutex<Option<Instant>>,
}

impl<K: Hash + Eq + Clone> PaceByKey<K> {
    pub(super) fn new(rate: Rate, most: usize) -> Self {
        let store = Shared(Arc::new(Mutex::new(Store { most, ..Store::default() })));
        let limiter = RateLimiter::new(rate.quota(), store.clone(), TokioClock);
        Self { limiter, store, swept: Mutex::default() }
    }

    /// Counts one of a key; if that is too many, tells how long to wait.
    pub(super) fn check(&self, key: &K) -> Result<(), Duration> {
        self.reserve(key, Duration::ZERO).map(drop)
    }

    /// Counts one of a key at the first moment at which that is not too many, as [`Pace::reserve`] does.
    pub(super) fn reserve(&self, key: &K, patience: Duration) -> Result<Duration, Duration> {
        if self.store.lock().has_no_room_for(key) && self.is_time_to_sweep() {
            self.limiter.retain_recent();
        }
        reserve(patience, || self.limiter.check_key(key))
    }

    /// Looking through all keys is not done for each that comes.
    fn is_time_to_sweep(&self) -> bool {
        let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        let is_time = swept.is_none_or(|last| last.elapsed() >= BETWEEN_SWEEPS);
        if is_time {
            *swept = Some(Instant::now());
        }
        is_time
    }
}

/// Those who wait are counted where they will be, and so stand in a line: each sleeps once, and whoever comes
/// next sees how long the line is.
fn reserve(
    patience: Duration,
    check: impl Fn() -> Result<(), NotUntil<Moment>>,
) -> Result<Duration, Duration> {
    let now = Instant::now();
    let mut moment = now;
    loop {
        let Err(until) = at(moment, &check) else { return Ok(moment - now) };
        let before = std::mem::replace(&mut moment, until.earliest_possible().0);
        let wait = moment.saturating_duration_since(now);
        // It cannot be before, unless the clock can count no further.
        if wait > patience || moment <= before {
            return Err(wait);
        }
    }
}

/// Keys and their states; a clone is the same.
#[derive(Debug)]
struct Shared<K>(Arc<Mutex<Store<K>>>);

#[derive(Debug)]
struct Store<K> {
    states: HashMap<K, Nanos>,
    /// That of all keys beyond.
    others: Option<Nanos>,
    most: usize,
}

impl<K> Default for Store<K> {
    fn default() -> Self {
        Self { states: HashMap::new(), others: None, most: 0 }
    }
}

impl<K: Hash + Eq> Store<K> {
    fn has_no_room_for(&self, key: &K) -> bool {
        self.states.len() >= self.most && !self.states.contains_key(key)
    }
}

impl<K> Shared<K> {
    fn lock(&self) -> MutexGuard<'_, Store<K>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K> Clone for Shared<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Hash + Eq + Clone> StateStore for Shared<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut store = self.lock();
        if store.has_no_room_for(key) {
            let (outcome, state) = measure(store.others)?;
            store.others = Some(state);
            return Ok(outcome);
        }
        let (outcome, state) = measure(store.states.get(key).copied())?;
        store.states.insert(key.clone(), state);
        Ok(outcome)
    }
}

impl<K: Hash + Eq + Clone> ShrinkableKeyedStateStore<K> for Shared<K> {
    fn retain_recent(&self, drop_below: Nanos) {
        self.lock().states.retain(|_, state| *state > drop_below);
    }

    fn len(&self) -> usize {
        self.lock().states.len()
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The runtime's clock, which tests can stop; a limiter that is asked about a later moment sees that one.
#[derive(Clone, Copy, Debug)]
struct TokioClock;

impl Clock for TokioClock {
    type Instant = Moment;

    fn now(&self) -> Moment {
        Moment(ASKED.get().unwrap_or_else(Instant::now))
    }
}

/// Asks about a moment.
fn at<R>(moment: Instant, ask: impl FnOnce() -> R) -> R {
    ASKED.set(Some(moment));
    let answer = ask();
    ASKED.set(None);
    answer
}

thread_local! {
    /// The moment that a limiter is asked about; it has no other way to be told.
    static ASKED: Cell<Option<Instant>> = const { Cell::new(None) };
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Moment(Instant);

impl Reference for Moment {
    fn duration_since(&self, earlier: Self) -> Nanos {
        self.0.saturating_duration_since(earlier.0).into()
    }

    fn saturating_sub(&self, duration: Nanos) -> Self {
        Self(self.0.checked_sub(duration.into()).unwrap_or(self.0))
    }
}

impl Add<Nanos> for Moment {
    type Output = Self;

    fn add(self, duration: Nanos) -> Self {
        Self(self.0.checked_add(duration.into()).unwrap_or(self.0))
    }
}

const BETWEEN_SWEEPS: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn len(pace: &PaceByKey<u32>) -> usize {
        pace.store.lock().states.len()
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_passes_and_then_one_a_step() {
        let pace = Pace::new(Rate::per_second(10).burst(3));
        for _ in 0..3 {
            assert_eq!(pace.check(), Ok(()));
        }
        assert_eq!(pace.check(), Err(Duration::from_millis(100)));
        tokio::time::advance(Duration::from_millis(60)).await;
        assert_eq!(pace.check(), Err(Duration::from_millis(40)));
        tokio::time::advance(Duration::from_millis(40)).await;
        assert_eq!(pace.check(), Ok(()));
        assert!(pace.check().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_wait_stand_in_a_line() {
        let ms = Duration::from_millis;
        let pace = PaceByKey::new(Rate::per_second(10).burst(1), 2);
        for place in 0..3 {
            assert_eq!(pace.reserve(&1, ms(250)), Ok(ms(100 * place)));
        }
        assert_eq!(pace.reserve(&1, ms(250)), Err(ms(300)), "nothing is counted");
        assert_eq!(pace.reserve(&1, ms(300)), Ok(ms(300)));
        assert_eq!(pace.reserve(&2, ms(250)), Ok(ms(0)));
        tokio::time::advance(ms(150)).await;
        assert_eq!(pace.check(&1), Err(ms(250)));
        tokio::time::advance(ms(250)).await;
        assert_eq!(pace.check(&1), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn each_key_has_its_own_count() {
        let pace = PaceByKey::new(Rate::per_second(1), 10);
        assert_eq!(pace.check(&1), Ok(()));
        assert_eq!(pace.check(&1), Err(Duration::from_secs(1)));
        assert_eq!(pace.check(&2), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn keys_beyond_the_bound_share_a_count_until_others_are_forgotten() {
        let pace = PaceByKey::new(Rate::new(1, Duration::from_secs(60)), 3);
        for key in 0..3 {
            assert_eq!(pace.check(&key), Ok(()));
        }
        assert_eq!(pace.check(&3), Ok(()));
        for key in 4..10_000 {
            assert!(pace.check(&key).is_err());
        }
        assert_eq!(len(&pace), 3);
        tokio::time::advance(Duration::from_secs(121)).await;
        for key in 4..7 {
            assert_eq!(pace.check(&key), Ok(()), "those of before are forgotten");
        }
        assert_eq!(len(&pace), 3);
        for key in 4..7 {
            assert!(pace.check(&key).is_err());
        }
    }
}
