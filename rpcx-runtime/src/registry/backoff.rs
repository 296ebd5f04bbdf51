//! How long to wait before the next try.

use std::time::Duration;

/// Waits that double from 100 ms to 2 s, each shortened at random by up to a half.
#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
}

impl Backoff {
    pub(crate) fn new() -> Self {
        Self { next: FIRST }
    }

    /// Starts again from the shortest wait.
    pub(crate) fn reset(&mut self) {
        self.next = FIRST;
    }

    /// Waits.
    pub(crate) async fn wait(&mut self) {
        let wait = self.next.mul_f64(0.5 + fastrand::f64() / 2.0);
        self.next = (self.next * 2).min(LONGEST);
        tokio::time::sleep(wait).await;
    }
}

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(2);
