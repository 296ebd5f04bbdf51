//! How often something may happen.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::Quota;

/// How often something may happen: steadily in a stretch of time, and at once after a pause.
///
/// ```
/// use std::time::Duration;
/// use rpcx::server::interceptor::Rate;
///
/// let steady = Rate::per_second(1_000);           // and 1,000 at once after a second's pause
/// let strict = Rate::per_second(1_000).burst(10); // one a millisecond, and 10 at once
/// let slow = Rate::new(5, Duration::from_secs(60));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rate {
    /// Between one and the next, at a steady pace.
    step: Duration,
    burst: NonZeroU32,
}

impl Rate {
    /// Makes a rate of so many in each stretch of that length, at least one a year and at most one a
    /// nanosecond. As many may happen at once, after a pause of that length.
    pub fn new(times: u32, each: Duration) -> Self {
        let burst = NonZeroU32::new(times).unwrap_or(NonZeroU32::MIN);
        Self { step: (each / burst.get()).clamp(SHORTEST, LONGEST), burst }
    }

    /// Makes a rate of so many a second, at least one.
    pub fn per_second(times: u32) -> Self {
        Self::new(times, Duration::from_secs(1))
    }

    /// Sets how many may happen at once, at least one, and at most as many as at the steady pace in a hundred
    /// years.
    #[must_use]
    pub fn burst(mut self, times: u32) -> Self {
        self.burst = NonZeroU32::new(times).unwrap_or(NonZeroU32::MIN);
        self
    }

    pub(super) fn quota(self) -> Quota {
        let quota = Quota::with_period(self.step).expect("a step is at least a nanosecond");
        // The limiter counts nanoseconds in 64 bits.
        let most = LONGEST_BURST.as_nanos() / self.step.as_nanos();
        let most = u32::try_from(most).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MAX);
        quota.allow_burst(self.burst.min(most))
    }
}

const SHORTEST: Duration = Duration::from_nanos(1);
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);
const LONGEST_BURST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::interceptor::pace::Pace;

    #[test]
    fn odd_numbers_make_no_odd_rates() {
        assert_eq!(Rate::per_second(0), Rate::per_second(1));
        assert_eq!(Rate::per_second(5).burst(0), Rate::per_second(5).burst(1));
        assert_eq!(Rate::new(u32::MAX, Duration::ZERO).step, SHORTEST);
        assert_eq!(Rate::new(1, Duration::MAX).step, LONGEST);
        let [fast, slow] = [Rate::new(u32::MAX, Duration::ZERO), Rate::new(1, Duration::MAX)];
        for rate in [fast, slow, slow.burst(u32::MAX), Rate::new(u32::MAX, Duration::MAX)] {
            assert_eq!(Pace::new(rate).check(), Ok(()));
        }
    }
}
