//! Counters of the benchmark: calls and latencies in a window, processor time, memory.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;
use serde::Serialize;

/// Where a measurement stands.
#[derive(Debug, Default)]
pub struct Phase(AtomicU8);

/// What one worker counted.
#[derive(Debug)]
pub struct Tally {
    latencies: Histogram<u64>,
    errors: u64,
}

/// The line that a measurement prints, as JSON.
#[derive(Debug, Serialize)]
pub struct Report {
    calls: u64,
    errors: u64,
    secs: f64,
    calls_per_s: f64,
    p50_us: f64,
    p99_us: f64,
    p999_us: f64,
    client_cpu_s_per_m: f64,
    client_rss_kb: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_cpu_s_per_m: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_rss_kb: Option<u64>,
}

/// The processor time that a window took, in seconds.
#[derive(Debug)]
pub struct Window {
    secs: f64,
    client: f64,
    server: Option<f64>,
    server_pid: Option<i32>,
}

impl Phase {
    /// Runs the phases: warm-up, then the window. Blocks the thread, so that no task delays it.
    pub fn run(&self, warmup: Duration, window: Duration, server_pid: Option<i32>) -> Window {
        std::thread::sleep(warmup);
        let start = Instant::now();
        let (client, server) = (cpu_seconds(None), server_pid.map(|pid| cpu_seconds(Some(pid))));
        self.0.store(MEASURING, Ordering::Relaxed);
        std::thread::sleep(window);
        self.0.store(OVER, Ordering::Relaxed);
        Window {
            secs: start.elapsed().as_secs_f64(),
            client: cpu_seconds(None) - client,
            server: server_pid.zip(server).map(|(pid, before)| cpu_seconds(Some(pid)) - before),
            server_pid,
        }
    }
}

impl Default for Tally {
    fn default() -> Self {
        let latencies = Histogram::new_with_bounds(1, LONGEST, 2)
            .expect("the bounds are in order and the precision is within 0 to 5");
        Self { latencies, errors: 0 }
    }
}

impl Tally {
    /// Counts a call if the window is open; `false` once it is over.
    pub fn count(&mut self, phase: &Phase, since: Instant, ok: bool) -> bool {
        match phase.0.load(Ordering::Relaxed) {
            MEASURING if ok => {
                let nanoseconds = u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX);
                self.latencies.saturating_record(nanoseconds);
                true
            }
            MEASURING => {
                self.errors += 1;
                true
            }
            phase => phase != OVER,
        }
    }

    /// Puts what workers counted together.
    #[expect(clippy::missing_panics_doc, reason = "it cannot")]
    pub fn merge(tallies: impl IntoIterator<Item = Self>) -> Self {
        tallies.into_iter().fold(Self::default(), |mut all, one| {
            all.latencies.add(one.latencies).expect("all histograms have the same bounds");
            all.errors += one.errors;
            all
        })
    }

    /// Makes the report.
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    pub fn report(&self, window: &Window) -> Report {
        let calls = self.latencies.len();
        let per_million = |seconds: f64| {
            if calls == 0 { 0.0 } else { seconds / calls as f64 * 1e6 }
        };
        let quantile = |at| self.latencies.value_at_quantile(at) as f64 / 1e3;
        Report {
            calls,
            errors: self.errors,
            secs: window.secs,
            calls_per_s: calls as f64 / window.secs,
            p50_us: quantile(0.5),
            p99_us: quantile(0.99),
            p999_us: quantile(0.999),
            client_cpu_s_per_m: per_million(window.client),
            client_rss_kb: peak_rss_kb("self"),
            server_cpu_s_per_m: window.server.map(per_million),
            server_rss_kb: window.server_pid.map(|pid| peak_rss_kb(&pid.to_string())),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn cpu_seconds(pid: Option<i32>) -> f64 {
    let clock = match pid {
        None => Ok(ClockId::CLOCK_PROCESS_CPUTIME_ID),
        Some(pid) => ClockId::pid_cpu_clock_id(Pid::from_raw(pid)),
    };
    let time = clock.and_then(clock_gettime);
    time.map_or(0.0, |time| time.tv_sec() as f64 + time.tv_nsec() as f64 / 1e9)
}

/// Reads the most memory that a process ever had resident, in KiB.
fn peak_rss_kb(process: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// The longest latency that is told apart, in nanoseconds.
const LONGEST: u64 = 60_000_000_000;
const MEASURING: u8 = 1;
const OVER: u8 = 2;
