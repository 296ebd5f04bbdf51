//! The time that a call has.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

use crate::error::{Error, Executed};

/// The time that a call, or an attempt, has.
///
/// On the heap: most calls have none, and the futures of all should be small.
#[derive(Debug)]
pub(super) struct Timer(Pin<Box<Inner>>);

#[derive(Debug)]
struct Inner {
    after: Duration,
    sleep: Pin<Box<Sleep>>,
}

impl Timer {
    /// Starts now; `None` if the clock cannot hold the end, which is as good as no limit.
    pub(super) fn start(after: Duration) -> Option<Self> {
        let end = Instant::now().checked_add(after)?;
        let sleep = Box::pin(tokio::time::sleep_until(end));
        Some(Self(Box::pin(Inner { after, sleep })))
    }

    /// Is ready when the time is over.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.sleep.as_mut().poll(cx)
    }

    pub(super) fn end(&self) -> Instant {
        self.0.sleep.deadline()
    }

    pub(super) fn left(&self) -> Duration {
        self.end().saturating_duration_since(Instant::now())
    }

    /// Tells whether it is over, or as good as over: how far the timers of the two sides may be apart,
    /// or those of a call and of its attempts.
    pub(super) fn is_about_over(&self) -> bool {
        self.left() <= TOLERANCE
    }

    pub(super) fn error(&self, executed: Executed) -> Error {
        Error::Timeout { after: self.0.after, executed }
    }
}

const TOLERANCE: Duration = Duration::from_millis(5);

/// The longest time that counts: the clock can hold its end.
pub(super) const LONGEST: Duration = Duration::from_secs(365 * 24 * 3_600);
