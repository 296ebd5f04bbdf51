//! Calls that start when it is time for them, whether those before have ended or not.
//!
//! The latency of a call counts from when it should have started. A client that waits for a slow
//! reply before it makes the next call would leave out the calls that it did not make meanwhile, and
//! with them the worst latencies ("coordinated omission").

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::measure::Measurement;

/// How calls follow each other.
#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
pub enum Arrivals {
    /// At random, as from many callers who know nothing of each other.
    Poisson,
    /// At equal distances.
    Constant,
}

/// Makes calls at a rate until the measurement is over.
#[derive(Debug)]
pub struct Pacer {
    under_way: Arc<AtomicUsize>,
    /// Closed when the thread and all of its calls have ended; nothing is ever sent.
    ended: mpsc::Receiver<()>,
}

impl Pacer {
    /// Starts: `call` gets the number of each call, and runs in a task of its own.
    ///
    /// The thread that starts them wakes every 50 µs or so, and the latencies contain that.
    pub fn start<F, Fut>(
        rate: f64,
        arrivals: Arrivals,
        measurement: &Arc<Measurement>,
        call: F,
    ) -> Self
    where
        F: Fn(usize) -> Fut + Send + 'static,
        Fut: Future<Output = bool> + Send + 'static,
    {
        let runtime = tokio::runtime::Handle::current();
        let measurement = Arc::clone(measurement);
        let under_way = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&under_way);
        let (running, ended) = mpsc::channel(1);
        std::thread::spawn(move || {
            let mut due = Instant::now();
            let mut number = 0;
            while !measurement.is_over() {
                let now = Instant::now();
                // Calls that nobody answers may wait too, but not without end. Their time runs.
                while due <= now && counter.load(Ordering::Relaxed) < MOST_UNDER_WAY {
                    let (since, measurement, counter, running) =
                        (due, Arc::clone(&measurement), Arc::clone(&counter), running.clone());
                    let call = call(number);
                    counter.fetch_add(1, Ordering::Relaxed);
                    runtime.spawn(async move {
                        let ok = call.await;
                        measurement.count(since, ok);
                        counter.fetch_sub(1, Ordering::Relaxed);
                        drop(running);
                    });
                    number += 1;
                    due += arrivals.gap(rate);
                }
                let left = due.saturating_duration_since(Instant::now());
                std::thread::sleep(left.clamp(TURN, LONGEST_TURN));
            }
        });
        Self { under_way, ended }
    }

    /// Waits until the calls that are under way have ended; gives how many have not after 10 s.
    pub async fn end(mut self) -> usize {
        let _ = tokio::time::timeout(Duration::from_secs(10), self.ended.recv()).await;
        self.under_way.load(Ordering::Relaxed)
    }
}

impl Arrivals {
    /// Gives the time from one call to the next.
    fn gap(self, rate: f64) -> Duration {
        let mean = 1.0 / rate;
        let seconds = match self {
            Self::Constant => mean,
            // 1 - x is never 0.
            Self::Poisson => -mean * (1.0 - fastrand::f64()).ln(),
        };
        Duration::from_secs_f64(seconds.clamp(0.0, 60.0))
    }
}

/// How long the pacing thread sleeps at least.
const TURN: Duration = Duration::from_micros(50);
/// How long it sleeps at most: it has to notice the end.
const LONGEST_TURN: Duration = Duration::from_millis(5);
const MOST_UNDER_WAY: usize = 50_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_have_the_mean_of_the_rate() {
        for arrivals in [Arrivals::Poisson, Arrivals::Constant] {
            let sum: Duration = (0..100_000).map(|_| arrivals.gap(1000.0)).sum();
            assert!((95.0..105.0).contains(&sum.as_secs_f64()), "{arrivals:?}: {sum:?}");
        }
    }
}
