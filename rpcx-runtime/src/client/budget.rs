//! How many retries a channel may add to its calls, so that they do not keep down servers that are
//! already overloaded.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How many retries a client may add to its calls.
///
/// Over the last ten seconds, retries are at most a share of the calls and so many a second on top.
/// The default is a fifth and 10 a second: if everything fails, servers see at most 1.2 times the
/// calls, and a client that makes few calls, or has just begun, may still make up to 100 of them
/// again at once. The second copy of a call in `Failbackup` counts as a retry.
///
/// A call that may not be made again fails with the error of its last attempt. All clients on a
/// channel share one budget.
///
/// Go rpcx 1.9.4 has none: if everything fails, servers see each call `Retries` more times, which is
/// four times the load.
///
/// ```
/// use rpcx::client::RetryBudget;
///
/// assert_eq!(RetryBudget::default(), RetryBudget::new(0.2, 10));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryBudget {
    limit: Option<Limit>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Limit {
    share: f64,
    per_second: u32,
}

impl RetryBudget {
    /// Allows retries for this `share` of the calls, and so many `per_second` on top.
    ///
    /// `0.2` is a fifth. A share that is negative or no number allows none, as zero does; with
    /// nothing per second either, no call is made again.
    pub const fn new(share: f64, per_second: u32) -> Self {
        // Infinitely many of no calls would not be a number.
        let share = if share > 0.0 { share.min(f64::MAX) } else { 0.0 };
        Self { limit: Some(Limit { share, per_second }) }
    }

    /// Allows every retry, as Go rpcx 1.9.4 does. Failing servers then get several times their load.
    pub const fn unlimited() -> Self {
        Self { limit: None }
    }
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self::new(0.2, 10)
    }
}

impl Limit {
    /// Tells whether one more retry fits.
    fn allows(self, calls: u64, retries: u64) -> bool {
        let floor = f64::from(self.per_second) * SLOTS_F64;
        float(retries.saturating_add(1)) <= self.share * float(calls) + floor
    }
}

/// What is left of a channel's [`RetryBudget`].
pub(super) struct Budget {
    limit: Option<Limit>,
    calls: Counter,
    window: Mutex<Window>,
}

impl Budget {
    pub(super) fn new(settings: RetryBudget) -> Self {
        let window = Mutex::new(Window::new(Instant::now()));
        Self { limit: settings.limit, calls: Counter::default(), window }
    }

    /// Notes the first attempt of a call.
    pub(super) fn called(&self) {
        if self.limit.is_some() {
            // When the call was is worked out by whoever needs it, so that calls that succeed read no
            // clock.
            self.calls.add_one();
        }
    }

    /// Takes one retry, or says that there is none left.
    pub(super) fn try_retry(&self) -> bool {
        let Some(limit) = self.limit else { return true };
        let mut window = self.window();
        // Both are read under the lock: they never go back from one holder to the next.
        let (calls, now) = (self.calls.sum(), Instant::now());
        window.catch_up(calls, now);
        let (calls, retries) = window.sums();
        let allowed = limit.allows(calls, retries);
        if allowed {
            window.note_retry();
        }
        allowed
    }

    fn window(&self) -> MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(RetryBudget::default())
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budget").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// Counts calls since the channel began; may wrap.
///
/// Every call of every thread counts here: one shared number would go back and forth between the cores
/// for each.
#[derive(Default)]
struct Counter([Shard; SHARDS]);

#[derive(Default)]
#[repr(align(64))]
struct Shard(AtomicUsize);

impl Counter {
    fn add_one(&self) {
        // Relaxed: the counter orders nothing but itself.
        SHARD.with(|shard| self.0[*shard].0.fetch_add(1, Ordering::Relaxed));
    }

    fn sum(&self) -> usize {
        let shards = self.0.iter().map(|shard| shard.0.load(Ordering::Relaxed));
        shards.fold(0, usize::wrapping_add)
    }
}

const SHARDS: usize = 8;
/// How many threads have taken a shard.
static THREADS: AtomicUsize = AtomicUsize::new(0);
thread_local! {
    static SHARD: usize = THREADS.fetch_add(1, Ordering::Relaxed) % SHARDS;
}

/// Calls and retries of the last ten seconds, the one that has just begun included: what happened in
/// the same second leaves the window at the same time.
struct Window {
    began: Instant,
    /// Until when calls are in the slots, as time since `began`.
    caught_up: Duration,
    /// How many calls that were.
    seen: usize,
    /// The second numbered n has the place n % 10.
    slots: [Slot; SLOTS],
}

/// What happened in one second.
#[derive(Clone, Copy, Default)]
struct Slot {
    second: u64,
    calls: u64,
    retries: u64,
}

impl Window {
    fn new(began: Instant) -> Self {
        let slots = std::array::from_fn(|_| Slot::default());
        Self { began, caught_up: Duration::ZERO, seen: 0, slots }
    }

    /// Enters what was called since the last time, spread evenly over the time since then.
    ///
    /// The few calls of a burst after a long silence count for little in this way: it errs on the
    /// side of fewer retries.
    fn catch_up(&mut self, calls: usize, now: Instant) {
        let from = self.caught_up;
        let to = now.saturating_duration_since(self.began);
        let fresh = calls.wrapping_sub(std::mem::replace(&mut self.seen, calls));
        let fresh = u64::try_from(fresh).unwrap_or(u64::MAX);
        self.caught_up = to;
        let current = to.as_secs();
        if from == to {
            self.slot(current).calls += fresh;
            return;
        }
        let whole = to.saturating_sub(from);
        let until = |time: Duration| portion(fresh, time.saturating_sub(from), whole);
        let oldest = current.saturating_sub(SLOTS_U64 - 1).max(from.as_secs());
        for second in oldest..=current {
            let [begin, end] =
                [second, second + 1].map(|second| Duration::from_secs(second).min(to));
            self.slot(second).calls += until(end) - until(begin);
        }
    }

    /// Gives the calls and the retries within the window.
    fn sums(&self) -> (u64, u64) {
        let current = self.caught_up.as_secs();
        let recent = self.slots.iter().filter(|slot| slot.second + SLOTS_U64 > current);
        recent.fold((0, 0), |sums, slot| (sums.0 + slot.calls, sums.1 + slot.retries))
    }

    fn note_retry(&mut self) {
        self.slot(self.caught_up.as_secs()).retries += 1;
    }

    /// Gives the slot of a second, emptied if it held an earlier one.
    fn slot(&mut self, second: u64) -> &mut Slot {
        let place = usize::try_from(second % SLOTS_U64).unwrap_or_default();
        let slot = &mut self.slots[place];
        if slot.second != second {
            *slot = Slot { second, ..Slot::default() };
        }
        slot
    }
}

/// Gives how many of `calls` fall into a `part` of the `whole` time, rounded down.
fn portion(calls: u64, part: Duration, whole: Duration) -> u64 {
    let portion = u128::from(calls).saturating_mul(part.as_nanos()) / whole.as_nanos().max(1);
    u64::try_from(portion).unwrap_or(calls)
}

/// No window holds more than four thousand million calls.
fn float(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// How many seconds the window is long.
const SLOTS: usize = 10;
const SLOTS_U64: u64 = 10;
const SLOTS_F64: f64 = 10.0;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::time::advance;

    use super::*;

    fn call(budget: &Budget, calls: usize) {
        (0..calls).for_each(|_| budget.called());
    }

    /// Takes retries until there are none.
    fn drain(budget: &Budget) -> usize {
        (0..1_000_000).take_while(|_| budget.try_retry()).count()
    }

    #[tokio::test(start_paused = true)]
    async fn a_fresh_client_may_retry_a_hundred_times_at_once() {
        let budget = Budget::default();
        assert_eq!(drain(&budget), 100);
    }

    #[tokio::test(start_paused = true)]
    async fn a_fifth_of_the_calls_comes_on_top() {
        let budget = Budget::default();
        call(&budget, 1_000);
        assert_eq!(drain(&budget), 300);
        call(&budget, 4);
        assert_eq!(drain(&budget), 0);
        call(&budget, 1);
        assert_eq!(drain(&budget), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn if_everything_fails_servers_see_little_more_than_the_calls() {
        let budget = Budget::default();
        let (mut calls, mut retries) = (0_u32, 0_u32);
        for _ in 0..30_000 {
            budget.called();
            calls += 1;
            // Three retries would be due, all of which fail.
            retries += (0..3).map(|_| u32::from(budget.try_retry())).sum::<u32>();
            advance(Duration::from_millis(1)).await;
        }
        assert!(retries <= calls / 5 + 300, "{retries} retries of {calls} calls");
        assert!(retries >= calls / 5, "{retries} retries of {calls} calls");
    }

    #[tokio::test(start_paused = true)]
    async fn the_bound_holds_over_any_ten_whole_seconds() {
        let budget = Budget::default();
        let mut per_second = Vec::new();
        for _ in 0..60 {
            let mut retries = 0_usize;
            for _ in 0..100 {
                budget.called();
                retries += (0..3).filter(|_| budget.try_retry()).count();
                advance(Duration::from_millis(10)).await;
            }
            per_second.push(retries);
        }
        let most = per_second.windows(10).map(|window| window.iter().sum::<usize>()).max();
        assert!(most.is_some_and(|most| most <= 300), "{per_second:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn retries_come_back_after_ten_seconds() {
        let budget = Budget::default();
        assert_eq!(drain(&budget), 100);
        advance(Duration::from_millis(9_999)).await;
        assert_eq!(drain(&budget), 0);
        advance(Duration::from_millis(1)).await;
        assert_eq!(drain(&budget), 100);
    }

    #[tokio::test(start_paused = true)]
    async fn only_calls_within_the_window_count() {
        let budget = Budget::default();
        // 1,000 calls spread over 100 seconds: the window has those of nine seconds, as its last
        // second has only begun.
        call(&budget, 1_000);
        advance(Duration::from_secs(100)).await;
        assert_eq!(drain(&budget), 100 + 18);
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_after_hours_gets_no_more_than_the_window_allows() {
        let budget = Budget::default();
        call(&budget, 1_000_000);
        assert!(budget.try_retry());
        advance(Duration::from_secs(3 * 3_600)).await;
        // The burst is small against the time that it is spread over.
        call(&budget, 500);
        assert_eq!(drain(&budget), 100);
        call(&budget, 500);
        assert_eq!(drain(&budget), 100);
        advance(Duration::from_secs(3 * 3_600)).await;
        assert_eq!(drain(&budget), 100);
    }

    #[tokio::test(start_paused = true)]
    async fn settings_count() {
        let drained = |share, per_second| {
            let budget = Budget::new(RetryBudget::new(share, per_second));
            call(&budget, 100);
            drain(&budget)
        };
        assert_eq!(drained(0.5, 3), 80);
        assert_eq!(drained(1.0, 0), 100);
        assert_eq!(drained(0.0, 1), 10);
        assert_eq!(drained(0.0, 0), 0);
        assert_eq!(drained(-1.0, 1), 10);
        assert_eq!(drained(f64::NAN, 0), 0);
        assert_eq!(drained(f64::INFINITY, 0), 1_000_000);
    }

    #[tokio::test(start_paused = true)]
    async fn an_unlimited_budget_allows_everything() {
        let budget = Budget::new(RetryBudget::unlimited());
        assert_eq!(drain(&budget), 1_000_000);
        let none = Budget::new(RetryBudget::new(f64::INFINITY, 0));
        assert!(!none.try_retry(), "no calls, no retries");
    }

    /// A call takes no lock: it would never end here.
    #[tokio::test(start_paused = true)]
    async fn noting_a_call_does_not_wait_for_the_window() {
        let budget = Budget::default();
        let window = budget.window();
        budget.called();
        drop(window);
        assert_eq!(budget.calls.sum(), 1);
    }

    #[test]
    fn threads_do_not_take_more_than_there_is() {
        let budget = Budget::new(RetryBudget::new(0.2, 0));
        let taken: usize = std::thread::scope(|scope| {
            let work = || {
                let tries = (0..10_000).filter(|_| {
                    budget.called();
                    budget.try_retry()
                });
                tries.count()
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(work)).collect();
            threads.into_iter().filter_map(|thread| thread.join().ok()).sum()
        });
        assert!(taken <= 16_000, "{taken}");
        assert_eq!(budget.calls.sum(), 80_000);
    }

    proptest! {
        #[test]
        fn spreading_neither_adds_nor_loses_recent_calls(
            steps in prop::collection::vec((0_usize..1_000, 0_u64..3_000), 1..20),
        ) {
            let began = Instant::now();
            let mut window = Window::new(began);
            let (mut calls, mut now) = (0_usize, began);
            for (more, milliseconds) in steps {
                calls += more;
                now += Duration::from_millis(milliseconds);
                window.catch_up(calls, now);
                let in_window = window.sums().0;
                prop_assert!(in_window <= calls as u64);
                if now - began < Duration::from_secs(10) {
                    prop_assert_eq!(in_window, calls as u64);
                }
            }
            window.catch_up(calls, now + Duration::from_secs(10));
            prop_assert_eq!(window.sums(), (0, 0));
        }
    }
}
