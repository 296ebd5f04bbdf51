//! Counters of the benchmark: calls and latencies in a window, processor time, memory.

use std::cell::Cell;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;
use serde::Serialize;

/// A measurement: where it stands, and what was counted so far.
///
/// Each thread counts in a place of its own. A histogram for each worker would be simpler, and a
/// thousand of them do not fit the processor's caches: the calls would pay for it.
#[derive(Debug)]
pub struct Measurement {
    phase: AtomicU8,
    tallies: Vec<Mutex<Tally>>,
}

/// What was counted.
#[derive(Debug)]
struct Tally {
    latencies: Histogram<u64>,
    errors: u64,
}

/// The line that a measurement prints, as JSON.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Calls that succeeded in the window.
    pub calls: u64,
    /// Calls that failed.
    pub errors: u64,
    /// How long the window was.
    pub secs: f64,
    /// Calls a second.
    pub calls_per_s: f64,
    /// The latency that half of the calls stayed within, in microseconds.
    pub p50_us: f64,
    /// That of 99 %.
    pub p99_us: f64,
    /// That of 99.9 %.
    pub p999_us: f64,
    /// Processor time of this process for a million calls, in seconds.
    pub client_cpu_s_per_m: f64,
    /// The most memory that this process ever had resident, in KiB.
    pub client_rss_kb: u64,
    /// Processor time of the server for a million calls, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_cpu_s_per_m: Option<f64>,
    /// The most memory that the server ever had resident, in KiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_rss_kb: Option<u64>,
}

impl Report {
    /// Gives the processor time of both sides for a million calls, in seconds.
    pub fn cpu_s_per_m(&self) -> f64 {
        self.client_cpu_s_per_m + self.server_cpu_s_per_m.unwrap_or_default()
    }
}

/// The processor time that a window took, in seconds.
#[derive(Debug)]
pub struct Window {
    secs: f64,
    client: f64,
    server: Option<f64>,
    server_pid: Option<i32>,
}

impl Measurement {
    /// Counts a call if the window is open; `false` once it is over.
    pub fn count(&self, since: Instant, ok: bool) -> bool {
        match self.phase.load(Ordering::Relaxed) {
            MEASURING => {
                let latency = since.elapsed();
                self.tally().lock().unwrap_or_else(PoisonError::into_inner).count(latency, ok);
                true
            }
            phase => phase != OVER,
        }
    }

    /// Tells whether the window is over.
    pub fn is_over(&self) -> bool {
        self.phase.load(Ordering::Relaxed) == OVER
    }

    fn tally(&self) -> &Mutex<Tally> {
        let place = THREAD.with(|thread| {
            thread.get().unwrap_or_else(|| {
                let next = THREADS.fetch_add(1, Ordering::Relaxed);
                thread.set(Some(next));
                next
            })
        });
        &self.tallies[place % self.tallies.len()]
    }

    /// Runs the phases: warm-up, then the window. Blocks the thread, so that no task delays it.
    pub fn run(&self, warmup: Duration, window: Duration, server_pid: Option<i32>) -> Window {
        std::thread::sleep(warmup);
        let start = Instant::now();
        let (client, server) = (cpu_seconds(None), server_pid.map(|pid| cpu_seconds(Some(pid))));
        self.phase.store(MEASURING, Ordering::Relaxed);
        std::thread::sleep(window);
        self.phase.store(OVER, Ordering::Relaxed);
        Window {
            secs: start.elapsed().as_secs_f64(),
            client: cpu_seconds(None) - client,
            server: server_pid.zip(server).map(|(pid, before)| cpu_seconds(Some(pid)) - before),
            server_pid,
        }
    }
}

impl Default for Measurement {
    fn default() -> Self {
        let tallies = (0..PLACES).map(|_| Mutex::default()).collect();
        Self { phase: AtomicU8::new(0), tallies }
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
    fn count(&mut self, latency: Duration, ok: bool) {
        if ok {
            let nanoseconds = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
            self.latencies.saturating_record(nanoseconds);
        } else {
            self.errors += 1;
        }
    }

    fn add(&mut self, other: &Self) {
        self.latencies.add(&other.latencies).expect("all histograms have the same bounds");
        self.errors += other.errors;
    }
}

impl Measurement {
    /// Makes the report.
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    pub fn report(&self, window: &Window) -> Report {
        let mut all = Tally::default();
        for tally in &self.tallies {
            all.add(&tally.lock().unwrap_or_else(PoisonError::into_inner));
        }
        let calls = all.latencies.len();
        let per_million = |seconds: f64| {
            if calls == 0 { 0.0 } else { seconds / calls as f64 * 1e6 }
        };
        let quantile = |at| all.latencies.value_at_quantile(at) as f64 / 1e3;
        Report {
            calls,
            errors: all.errors,
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

thread_local! {
    /// Which thread this is, in the order in which they began to count.
    static THREAD: Cell<Option<usize>> = const { Cell::new(None) };
}

static THREADS: AtomicUsize = AtomicUsize::new(0);

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

/// Threads that count without meeting each other.
const PLACES: usize = 8;
/// The longest latency that is told apart, in nanoseconds.
const LONGEST: u64 = 60_000_000_000;
const MEASURING: u8 = 1;
const OVER: u8 = 2;
