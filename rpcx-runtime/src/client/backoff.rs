//! How long a call waits before it is made again.

use std::time::Duration;

/// How long a call waits before it is made again.
///
/// Up to 20 ms at first, doubled with each failure up to a second, shortened at random so that
/// callers do not come back all at once. A fixed interval replaces all of it, as Go's
/// `RetryInterval` does; Go rpcx 1.9.4 does not wait unless it is set, and then also after the last
/// failure, when nothing follows.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Backoff {
    interval: Option<Duration>,
}

impl Backoff {
    /// With an `interval`, waits exactly that long.
    pub(super) const fn new(interval: Option<Duration>) -> Self {
        Self { interval }
    }

    /// Gives the pause after so many `failures` of a call.
    pub(super) fn pause(self, failures: u32) -> Duration {
        self.interval.unwrap_or_else(|| {
            doubled(FIRST_PAUSE, failures.saturating_sub(1), LONGEST_PAUSE).mul_f64(fastrand::f64())
        })
    }
}

/// Gives `first`, doubled so many `times`, but at most `longest`.
pub(super) fn doubled(first: Duration, times: u32, longest: Duration) -> Duration {
    let factor = 1_u32.checked_shl(times).unwrap_or(u32::MAX);
    first.saturating_mul(factor).min(longest)
}

const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn longest_seen(failures: u32) -> Duration {
        let pauses = (0..2_000).map(|_| Backoff::default().pause(failures));
        pauses.max().unwrap_or_default()
    }

    #[test]
    fn pauses_are_spread_up_to_a_doubled_bound() {
        for (failures, bound) in [(1, 20), (2, 40), (3, 80), (6, 640), (7, 1_000), (40, 1_000)] {
            let bound = Duration::from_millis(bound);
            let longest = longest_seen(failures);
            assert!(longest <= bound, "{failures} failures: {longest:?}");
            assert!(longest > bound.mul_f64(0.9), "{failures} failures: {longest:?}");
        }
    }

    #[test]
    fn pauses_may_be_next_to_nothing() {
        let shortest = (0..2_000).map(|_| Backoff::default().pause(7)).min();
        assert!(shortest.is_some_and(|shortest| shortest < Duration::from_millis(50)));
    }

    #[test]
    fn a_fixed_interval_is_kept_exactly() {
        for interval in [Duration::ZERO, Duration::from_millis(7), Duration::from_secs(90)] {
            let backoff = Backoff::new(Some(interval));
            assert_eq!(backoff.pause(1), interval);
            assert_eq!(backoff.pause(20), interval);
        }
    }

    #[test]
    fn doubling_ends_at_the_longest() {
        let (second, longest) = (Duration::from_secs(1), Duration::from_secs(30));
        let seconds = |times| doubled(second, times, longest).as_secs();
        assert_eq!([0, 1, 2, 3, 4, 5, 6].map(seconds), [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!([31, 32, u32::MAX].map(seconds), [30, 30, 30]);
        assert_eq!(doubled(Duration::MAX, 3, Duration::MAX), Duration::MAX);
    }
}
