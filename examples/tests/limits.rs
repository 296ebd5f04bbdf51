//! Servers that may open few files, and clients that want many.
//!
//! The flood is of 1,000 connections, or with `RPCX_LONG=1` of 20,000.
#![cfg(target_os = "linux")]

#[path = "support/farm.rs"]
#[allow(dead_code, reason = "each test file is a crate and uses some of it")]
mod farm;
#[path = "support/port.rs"]
#[allow(dead_code, reason = "each test file is a crate and uses some of it")]
mod port;
#[allow(dead_code, reason = "each test file is a crate and uses some of it")]
mod support;

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use farm::{Callers, Method};
use rpcx_examples::interop::{Args, InteropClient};
use support::Program;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

const INTEROP_SERVER: &str = env!("CARGO_BIN_EXE_interop-server");

/// A server that may open so many files.
struct Limited {
    program: Program,
    address: String,
}

impl Limited {
    fn start(files: usize, options: &[&str]) -> Self {
        let mut command = Command::new("sh");
        let script = "ulimit -n \"$1\" && shift && exec \"$0\" \"$@\"";
        command.args(["-c", script, INTEROP_SERVER, &files.to_string(), "--addr", "127.0.0.1:0"]);
        let program = Program::start_command(command.args(options).stdin(Stdio::null()));
        let address = program.wait_for("listening on");
        Self { program, address }
    }

    /// Counts the files that it has open.
    fn files(&self) -> usize {
        let folder = format!("/proc/{}/fd", self.program.id());
        std::fs::read_dir(folder).expect("the server runs").count()
    }

    /// Waits until it has as many files open as `wanted` is content with.
    async fn wait_for_files(&self, wanted: impl Fn(usize) -> bool) -> usize {
        let begun = Instant::now();
        loop {
            let files = self.files();
            if wanted(files) {
                return files;
            }
            assert!(begun.elapsed() < SAFETY, "{files} files");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Gives the processor time that it has used.
    fn processor_time(&self) -> Duration {
        let path = format!("/proc/{}/stat", self.program.id());
        let stat = std::fs::read_to_string(path).expect("the server runs");
        // Behind the name, which may contain anything: user time is the 12th field, system time the 13th.
        let (_, fields) = stat.rsplit_once(')').expect("the name is in parentheses");
        let ticks: u64 = fields.split_whitespace().skip(11).take(2).map(number).sum();
        // Linux tells programs of 100 ticks a second, whatever its own are.
        Duration::from_millis(ticks * 10)
    }

    async fn callers(&self) -> Callers {
        let builder = farm::builder(std::slice::from_ref(&self.address));
        let mut callers = Callers::begin(4, builder, Method::NotIdempotent).await;
        callers.connected(1).await;
        callers
    }

    /// Opens connections, and leaves them alone; gives those that are open.
    async fn flood(&self, count: usize) -> Vec<TcpStream> {
        let (_, target) = self.address.split_once('@').expect("an address has a network");
        let mut connecting = JoinSet::new();
        let mut open = Vec::new();
        for number in 0..count {
            let target = target.to_owned();
            connecting.spawn(async move {
                tokio::time::timeout(PATIENCE, TcpStream::connect(target)).await.ok()?.ok()
            });
            if number % AT_ONCE == AT_ONCE - 1 {
                open.extend(std::mem::take(&mut connecting).join_all().await.into_iter().flatten());
            }
        }
        open.extend(connecting.join_all().await.into_iter().flatten());
        open
    }
}

fn number(text: &str) -> u64 {
    text.parse().expect("a number")
}

/// Calls a server that had no room a moment ago; gives how long that took.
async fn time_to_serve(address: &str) -> Duration {
    let begun = Instant::now();
    let client = InteropClient::builder().connect_timeout(SAFETY).connect_to(address).await;
    let reply = client.expect("a lazy connection").mul(Args { a: 6, b: 7 }).timeout(SAFETY).await;
    assert_eq!(reply.expect("there is room again").c, 42);
    begun.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_files_waits_and_serves_whom_it_has() {
    // More connections than there can be files.
    let server = Limited::start(64, &["--max-connections", "10000"]);
    let mut callers = server.callers().await;
    let flood = server.flood(200).await;
    server.wait_for_files(|files| files >= 64).await;
    callers.more(100).await;
    assert!(callers.failures().is_empty());
    drop(callers);
    server.wait_for_files(|files| files >= 64).await;

    // What it does while it can do nothing.
    let (before, begun) = (server.processor_time(), Instant::now());
    tokio::time::sleep(Duration::from_secs(2)).await;
    let share = server.processor_time().saturating_sub(before).as_secs_f64()
        / begun.elapsed().as_secs_f64();
    drop(flood);
    let served = time_to_serve(&server.address).await;
    say(&format!(
        "a server without files: {:.1} % of a processor, and served again after {served:.2?}",
        100.0 * share
    ));
    assert!(share < 0.2, "{share}");
    server.program.stop().expect_success();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_connections_costs_a_client_that_is_connected_no_call() {
    let (files, offered) = if is_long() { (4_096, 20_000) } else { (256, 1_000) };
    let server = Limited::start(files, &[]);
    let mut callers = server.callers().await;
    let idle = server.files();
    let flood = server.flood(offered).await;
    callers.more(1_000).await;
    let failures = callers.failures();
    assert!(failures.is_empty(), "{failures:#?}");

    // Four fifths of the files are for connections, one of them the callers'.
    let most = idle - 1 + files / 5 * 4;
    let open = server.wait_for_files(|open| open >= most).await;
    // One more may be open since: what a program opens when it first wants it.
    assert!((most..=most + 1).contains(&open), "{open} of {most}");
    let (calls, connected) = (callers.calls(), flood.len());
    drop(callers);
    drop(flood);
    let served = time_to_serve(&server.address).await;
    say(&format!(
        "flood with ulimit -n {files}: {offered} connections offered, {connected} open, {open} files of the \
         server, {calls} calls, 0 failed; served others after {served:.2?}"
    ));
    server.program.stop().expect_success();
}

fn is_long() -> bool {
    std::env::var("RPCX_LONG").is_ok_and(|long| long == "1")
}

/// Not `eprintln`, which the test runner would keep to itself.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Connections that are opened at the same time.
const AT_ONCE: usize = 2_000;
/// How long an unwanted client waits for its connection.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long anything may take. It never decides a test that passes.
const SAFETY: Duration = Duration::from_secs(30);
