//! Finds `Arith` in a registry that the command line names, and calls it: the client of the interop
//! tests with Go's registry plugins. Prints a line of JSON for each event.
//!
//! Exit code 0: all calls were right; 1: some failed; 3: no server was found.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use rpcx::client::ClientBuilder;
use rpcx::protocol::SerializeType;
use rpcx::registry::{Discover as _, Registry, Snapshot};
use rpcx::{FailMode, SelectMode};
use rpcx_examples::any_registry::{any_registry, duration};
use rpcx_examples::arith::{Args, ArithClient};
use rpcx_examples::event::event;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

#[derive(Parser)]
struct Options {
    /// `peer2peer`, `multiple`, `etcd`, `zookeeper`, `consul` or `mdns`.
    #[arg(long, default_value = "peer2peer")]
    registry: String,
    /// `host:port`, with commas; the servers for `peer2peer` and `multiple`; `-` for mdns.
    #[arg(long, value_delimiter = ',')]
    registry_addr: Vec<String>,
    /// The namespace.
    #[arg(long, default_value = "/rpcx_test")]
    base: String,
    /// The service's name.
    #[arg(long, default_value = "Arith")]
    service: String,
    /// How many calls to make.
    #[arg(short, default_value_t = 10)]
    n: u64,
    /// Make calls for this long instead.
    #[arg(long = "for", value_parser = duration)]
    lasting: Option<Duration>,
    /// The pause between calls.
    #[arg(long, default_value = "200ms", value_parser = duration)]
    gap: Duration,
    /// How long to wait for a first server.
    #[arg(long, default_value = "10s", value_parser = duration)]
    wait: Duration,
    /// Only print the servers.
    #[arg(long)]
    nocall: bool,
    /// `msgpack` or `json`.
    #[arg(long, default_value = "msgpack")]
    codec: String,
    /// `random` or `round_robin`.
    #[arg(long, default_value = "round_robin")]
    select: SelectMode,
    /// `failover`, `failfast` or `failtry`.
    #[arg(long, default_value = "failtry")]
    fail_mode: FailMode,
}

fn print_servers(snapshot: &Snapshot) {
    let instances = snapshot.instances().iter();
    let lines = instances.map(|at| format!("{} ? {}", at.address(), at.metadata()));
    event("servers", [("list", lines.collect::<Vec<_>>().into())]);
}

/// Prints the servers at the start and at every change.
async fn print_changes(mut news: watch::Receiver<Snapshot>) {
    let mut printed = None;
    loop {
        let snapshot = news.borrow_and_update().clone();
        if printed.as_ref() != Some(snapshot.instances()) {
            print_servers(&snapshot);
            printed = Some(Arc::clone(snapshot.instances()));
        }
        if news.changed().await.is_err() {
            return;
        }
    }
}

async fn call_again_and_again(
    options: &Options,
    registry: Arc<dyn Registry>,
) -> rpcx::Result<bool> {
    let builder: ClientBuilder<ArithClient> = ArithClient::builder().registry(registry);
    let codec = if options.codec == "json" { SerializeType::JSON } else { SerializeType::MSGPACK };
    let builder = builder.select(options.select).fail_mode(options.fail_mode).codec(codec);
    let arith =
        builder.service(&*options.service).timeout(Duration::from_secs(3)).connect().await?;
    let end = options.lasting.map(|lasting| Instant::now() + lasting);
    let (mut ok, mut failed, mut last_error) = (0u64, 0u64, String::new());
    for i in 1i64.. {
        let over = end.map_or(ok + failed >= options.n, |end| Instant::now() >= end);
        if over {
            break;
        }
        let error = match arith.mul(Args { a: i, b: 2 }).await {
            Ok(reply) if reply.c == 2 * i => None,
            Ok(reply) => Some(format!("wrong answer {}", reply.c)),
            Err(error) => Some(error.to_string()),
        };
        if let Some(error) = error {
            failed += 1;
            if error != last_error {
                event("call-failed", [("err", error.as_str().into())]);
            }
            last_error = error;
        } else {
            ok += 1;
            if !std::mem::take(&mut last_error).is_empty() {
                event("call-ok-again", []);
            }
        }
        sleep(options.gap).await;
    }
    event("done", [("ok", ok.into()), ("failed", failed.into())]);
    Ok(failed == 0)
}

async fn run(options: &Options) -> Result<ExitCode, String> {
    let endpoints: Vec<_> = options.registry_addr.iter().filter(|at| *at != "-").cloned().collect();
    let interval = Duration::from_secs(60);
    let registry = any_registry(&options.registry, &endpoints, &options.base, interval)?;
    let mut news = registry.discover(&options.service);
    let found = news.wait_for(|news| !news.instances().is_empty());
    if timeout(options.wait, found).await.is_err() {
        let reach = format!("{:?}", news.borrow().reach());
        event("no-server", [("err", reach.into())]);
        return Ok(ExitCode::from(3));
    }
    let printing = tokio::spawn(print_changes(news));
    if options.nocall {
        // One turn for the first list.
        tokio::task::yield_now().await;
        sleep(options.lasting.unwrap_or(Duration::from_millis(10))).await;
        return Ok(ExitCode::SUCCESS);
    }
    let all_right = call_again_and_again(options, registry).await;
    printing.abort();
    match all_right {
        Ok(true) => Ok(ExitCode::SUCCESS),
        Ok(false) => Ok(ExitCode::FAILURE),
        Err(error) => Err(error.to_string()),
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Options::parse()).await {
        Ok(code) => code,
        Err(error) => {
            event("fatal", [("err", error.into())]);
            ExitCode::FAILURE
        }
    }
}
