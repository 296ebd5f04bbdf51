//! Calls under load: who waits for whom, and for how long.
//!
//! Each scenario starts a server in a process of its own, so that its processor time can be told from
//! the client's, and gives [`Row`]s of figures.

mod overload;
pub mod pace;
pub mod scenarios;
mod server;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rpcx::Result;
use serde::Serialize;

pub use self::overload::{Overload, overload};
pub use self::server::{Disturbance, Scarce, Served, ServerProcess, burn, flood, serve};
use crate::measure::{Measurement, Report};

/// What the scenarios call.
#[rpcx::service]
pub trait Load {
    /// Adds; ready at once.
    async fn add(&self, a: i64, b: i64) -> Result<i64>;

    /// Gives the number back after as many microseconds of waiting.
    async fn wait(&self, microseconds: u64) -> Result<u64>;

    /// Gives the number back after as many microseconds of work, in a task of its own.
    #[rpcx(spawn)]
    async fn burn(&self, microseconds: u64) -> Result<u64>;
}

/// How a scenario is run.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How long each figure is measured.
    pub window: Duration,
    /// How long the load runs before that.
    pub warmup: Duration,
}

/// A line of a scenario's result.
#[derive(Debug, Serialize)]
pub struct Row {
    /// What was measured.
    pub what: String,
    /// The figures.
    #[serde(flatten)]
    pub report: Report,
    /// What the figures are to be compared by, and with what.
    pub ratio: Option<f64>,
}

impl Row {
    /// Makes a row without a ratio.
    pub fn new(what: impl Into<String>, report: Report) -> Self {
        Self { what: what.into(), report, ratio: None }
    }

    /// Adds the 99th percentile as a multiple of another row's.
    #[must_use]
    pub fn p99_beside(mut self, other: &Report) -> Self {
        self.ratio = Some(self.report.p99_us / other.p99_us.max(f64::MIN_POSITIVE));
        self
    }
}

/// Calls that are made again and again until the measurement is over.
#[derive(Debug, Default)]
pub struct Loops {
    tasks: tokio::task::JoinSet<()>,
}

impl Loops {
    /// Starts `count` loops of the calls that `call` makes; each starts when the one before has ended.
    pub fn start<F, Fut>(&mut self, count: usize, measurement: &Arc<Measurement>, call: F)
    where
        F: Fn(usize) -> Fut + Clone + Send + 'static,
        Fut: Future<Output = bool> + Send,
    {
        for number in 0..count {
            let (measurement, call) = (Arc::clone(measurement), call.clone());
            self.tasks.spawn(async move {
                loop {
                    let since = Instant::now();
                    let ok = call(number).await;
                    if !measurement.count(since, ok) {
                        return;
                    }
                    if !ok {
                        // Failures come fast; they are not to take the processor from the rest.
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                }
            });
        }
    }

    /// Waits until all have ended.
    ///
    /// # Errors
    ///
    /// If one of them panicked.
    pub async fn end(mut self) -> io::Result<()> {
        while let Some(ended) = self.tasks.join_next().await {
            ended?;
        }
        Ok(())
    }
}

/// Measures what runs beside this, all in the same window.
///
/// # Errors
///
/// If a thread cannot be waited for.
pub async fn measure<const N: usize>(
    plan: Plan,
    measurements: [&Arc<Measurement>; N],
    server: &ServerProcess,
) -> io::Result<[Report; N]> {
    let pid = server.pid();
    let windows = measurements.map(|measurement| {
        let measurement = Arc::clone(measurement);
        tokio::task::spawn_blocking(move || measurement.run(plan.warmup, plan.window, Some(pid)))
    });
    let mut reports = Vec::with_capacity(N);
    for (window, measurement) in windows.into_iter().zip(measurements) {
        reports.push(measurement.report(&window.await?));
    }
    reports.try_into().map_err(|_| io::Error::other("there are as many reports as measurements"))
}

/// Gives the most memory that the server had until then.
#[expect(clippy::cast_precision_loss, reason = "a server with less than 2^53 KiB")]
fn server_mib(report: &Report) -> f64 {
    report.server_rss_kb.unwrap_or_default() as f64 / 1024.0
}

/// Prints rows as a table.
#[expect(clippy::print_stdout, reason = "the result")]
pub fn print(rows: &[Row]) {
    let widest = rows.iter().map(|row| row.what.len()).max().unwrap_or(0);
    println!(
        "{:widest$} {:>10} {:>9} {:>9} {:>9} {:>8} {:>8} {:>6} {:>6} {:>6}",
        "", "calls/s", "p50 us", "p99 us", "p99.9 us", "client", "server", "MiB", "errors", "ratio"
    );
    for Row { what, report, ratio } in rows {
        let ratio = ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"));
        println!(
            "{what:widest$} {:>10.0} {:>9.0} {:>9.0} {:>9.0} {:>8.2} {:>8.2} {:>6.1} {:>6} {ratio:>6}",
            report.calls_per_s,
            report.p50_us,
            report.p99_us,
            report.p999_us,
            report.client_cpu_s_per_m,
            report.server_cpu_s_per_m.unwrap_or_default(),
            server_mib(report),
            report.errors,
        );
    }
}
