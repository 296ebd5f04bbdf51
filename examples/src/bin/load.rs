//! Calls under load: who waits for whom, what features cost, and how latency grows with the rate.
//!
//! `load --help` lists the scenarios. Each starts a server of its own in another process, prints a
//! table, and with `--json` one line of JSON instead.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use rpcx_examples::load::pace::Arrivals;
use rpcx_examples::load::{self, Overload, Plan, Scarce, scenarios};
use serde_json::json;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures calls under load, between two processes on this machine.
///
/// In the tables p50, p99 and p99.9 are latencies in microseconds; client and server are seconds of
/// processor time for a million calls; MiB is the most memory that the server had until then. A machine that does other work at the same time shows in all of
/// them: compare figures of one run, and quote ratios.
#[derive(Parser)]
struct Options {
    #[command(subcommand)]
    scenario: Scenario,
    /// Prints one line of JSON instead of a table.
    #[arg(long, global = true)]
    json: bool,
    /// How long each figure is measured, in seconds.
    #[arg(long, global = true, default_value_t = 2.0)]
    secs: f64,
    /// How long the load runs before that, in seconds.
    #[arg(long, global = true, default_value_t = 0.3)]
    warmup: f64,
}

#[derive(Subcommand)]
enum Scenario {
    /// One connection floods the server: what do the others notice?
    ///
    /// The calm connections make calls at random times, and their latency counts from when a call
    /// should have started. The ratio is their p99 to their p99 alone: beside a process that has nothing to do
    /// with them and keeps the cores busy, beside a flood of another process, and beside one of their own.
    Fairness {
        /// Connections that are calm.
        #[arg(long, default_value_t = 63)]
        calm: usize,
        /// Calls a second on each of them.
        #[arg(long, default_value_t = 50.0)]
        rate: f64,
        /// Calls that the flooding connection has under way.
        #[arg(long, default_value_t = 1024)]
        flood: usize,
    },
    /// A slow handler on the same connection: what do fast calls notice?
    ///
    /// First a handler that waits, then one that burns the processor and is marked `#[rpcx(spawn)]`. The
    /// ratio is the p99 of the fast calls beside it to their p99 alone.
    Slow {
        /// Fast calls a second.
        #[arg(long, default_value_t = 2000.0)]
        rate: f64,
        /// How long the waiting handler waits, in milliseconds.
        #[arg(long, default_value_t = 100)]
        wait: u64,
        /// How long the burning handler burns, in milliseconds.
        #[arg(long, default_value_t = 20)]
        burn: u64,
    },
    /// Handlers that wait, thousands at a time.
    Waits {
        /// Connections.
        #[arg(long, default_value_t = 100)]
        conns: usize,
        /// Calls under way, over all connections.
        #[arg(long, default_value_t = 5000)]
        inflight: usize,
        /// How long a handler waits, in microseconds.
        #[arg(long, default_value_t = 1000)]
        wait: u64,
    },
    /// Calls that start when they should, at shares of the capacity, which is measured first.
    ///
    /// Latency counts from when a call should have started, so that nothing is left out when replies are
    /// slow; it contains up to 0.1 ms of the thread that starts calls. The ratio is the rate that was
    /// reached to the one that was asked for.
    Open {
        /// Connections.
        #[arg(long, default_value_t = 4)]
        conns: usize,
        /// How calls follow each other.
        #[arg(long, default_value = "poisson")]
        arrivals: Arrivals,
        /// Shares of the capacity, in per cent.
        #[arg(long, value_delimiter = ',', default_value = "30,60,90")]
        percent: Vec<f64>,
    },
    /// Many more calls than a server can take: what becomes of those that it could?
    ///
    /// Each handler needs a place in a pool for some time. First the server says so: it refuses calls beyond
    /// that (`ConcurrencyLimit`). Then it does not, and calls wait until their time is over. Calls come at
    /// random times, and are not made again. The ratio is that of the calls that are served to what the
    /// pool can do, which is measured first.
    Overload {
        /// Connections.
        #[arg(long, default_value_t = 4)]
        conns: usize,
        /// Places in the pool.
        #[arg(long, default_value_t = 10)]
        places: usize,
        /// How long a handler needs its place, in milliseconds.
        #[arg(long, default_value_t = 10)]
        wait: u64,
        /// How many times what the pool can do is asked for.
        #[arg(long, default_value_t = 10.0)]
        times: f64,
        /// How long a caller waits for its answer, in milliseconds.
        #[arg(long, default_value_t = 1000)]
        timeout: u64,
    },
    /// What features cost, used and not used.
    ///
    /// Rounds of short windows, one feature after the other. The ratio is the processor time of a call,
    /// client and server together, to that of a plain call: the median of the rounds.
    Idle {
        /// How often each feature is measured.
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// Calls under way.
        #[arg(long, default_value_t = 64)]
        inflight: usize,
    },
    /// Serves the other scenarios.
    #[command(hide = true)]
    Serve(Scarce),
    /// Floods a server for another process of this program.
    #[command(hide = true)]
    Flood {
        #[arg(long)]
        address: String,
        #[arg(long)]
        inflight: usize,
    },
    /// Burns the processor for another process of this program.
    #[command(hide = true)]
    Burn,
}

async fn run(options: &Options) -> scenarios::Outcome {
    let plan = Plan {
        window: Duration::from_secs_f64(options.secs),
        warmup: Duration::from_secs_f64(options.warmup),
    };
    match &options.scenario {
        Scenario::Fairness { calm, rate, flood } => {
            scenarios::fairness(plan, *calm, *rate, *flood).await
        }
        Scenario::Slow { rate, wait, burn } => {
            let [wait, burn] = [*wait, *burn].map(Duration::from_millis);
            scenarios::slow(plan, *rate, wait, burn).await
        }
        Scenario::Waits { conns, inflight, wait } => {
            scenarios::waits(plan, *conns, *inflight, Duration::from_micros(*wait)).await
        }
        Scenario::Open { conns, arrivals, percent } => {
            let shares: Vec<_> = percent.iter().map(|share| share / 100.0).collect();
            scenarios::open(plan, *conns, *arrivals, &shares).await
        }
        Scenario::Idle { rounds, inflight } => scenarios::idle(plan, *rounds, *inflight).await,
        Scenario::Overload { conns, places, wait, times, timeout } => {
            let [wait, timeout] = [*wait, *timeout].map(Duration::from_millis);
            let (connections, places, times) = (*conns, *places, *times);
            load::overload(plan, Overload { connections, places, wait, times, timeout }).await
        }
        Scenario::Serve(scarce) => {
            load::serve(*scarce).await.map_err(|error| error.to_string())?;
            Ok(Vec::new())
        }
        Scenario::Flood { address, inflight } => {
            load::flood(address, *inflight).await.map_err(|error| error.to_string())?;
            Ok(Vec::new())
        }
        Scenario::Burn => {
            load::burn().await;
            Ok(Vec::new())
        }
    }
}

impl Scenario {
    fn name(&self) -> &'static str {
        match self {
            Self::Fairness { .. } => "fairness",
            Self::Slow { .. } => "slow",
            Self::Waits { .. } => "waits",
            Self::Open { .. } => "open",
            Self::Idle { .. } => "idle",
            Self::Flood { .. } => "flood",
            Self::Burn => "burn",
            Self::Overload { .. } => "overload",
            Self::Serve(_) => "serve",
        }
    }
}

#[tokio::main]
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]
async fn main() -> ExitCode {
    let options = Options::parse();
    let rows = match run(&options).await {
        Ok(rows) => rows,
        Err(error) => {
            eprintln!("load: {error}");
            return ExitCode::FAILURE;
        }
    };
    if options.json {
        println!("{}", json!({ "scenario": options.scenario.name(), "rows": rows }));
    } else {
        load::print(&rows);
    }
    if rows.iter().any(|row| row.report.errors > 0) {
        eprintln!("load: calls failed");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
