//! A server in a process of its own: the test program itself, started again.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rpcx::registry::{Load, Mdns, Register as _};
use tokio::task::block_in_place;

use super::announcement;

/// A process that announces servers; it ends with this value.
pub(crate) struct Process {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Starts a process that announces `service|tcp@127.0.0.1:1?weight=5`, and waits until it has.
    pub(crate) fn announce(servers: &[String]) -> Self {
        let mut process = Self::start(servers, true);
        process.until(ANNOUNCED);
        process
    }

    /// The same without Go's name.
    pub(crate) fn announce_without_go(servers: &[String]) -> Self {
        let mut process = Self::start(servers, false);
        process.until(ANNOUNCED);
        process
    }

    fn start(servers: &[String], go_compatible: bool) -> Self {
        let program = std::env::current_exe().expect("a test knows its program");
        let mut child = Command::new(program)
            .args(["--exact", "another_process", "--nocapture"])
            .env(SERVERS, servers.join("\n"))
            .env(GO_COMPATIBLE, go_compatible.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the test program starts again");
        let input = child.stdin.take().expect("it was asked for");
        let output = BufReader::new(child.stdout.take().expect("it was asked for")).lines();
        Self { child, input, output }
    }

    /// Has the process do something, and waits until it has.
    pub(crate) fn order(&mut self, order: &str) {
        writeln!(self.input, "{order}").expect("the process reads");
        self.until(order);
    }

    /// Ends the process without giving it a chance to say goodbye.
    pub(crate) fn crash(mut self) {
        self.child.kill().expect("the process was there");
        self.child.wait().expect("the process can be waited for");
    }

    fn until(&mut self, wanted: &str) {
        let wanted = format!("process: {wanted}");
        // The test runner's own words may stand before it.
        let mut lines = self.output.by_ref().map_while(Result::ok);
        let said = block_in_place(|| lines.any(|line| line.ends_with(&wanted)));
        assert!(said, "the process ended before it said `{wanted}`");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail if it has ended, which is just as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Announces servers until the first process is gone; does nothing in that one.
#[tokio::main]
pub(crate) async fn run_as_another_process() {
    let Ok(servers) = std::env::var(SERVERS) else { return };
    let go_compatible = std::env::var(GO_COMPATIBLE).is_ok_and(|on| on == "true");
    let mdns = Mdns::new().update_interval(UPDATE).go_compatible(go_compatible);
    let calls = Arc::new(AtomicU32::new(0));
    let mut registrations = Vec::new();
    for server in servers.lines() {
        let (service, server) = server.split_once('|').expect("`service|server`");
        let calls = Arc::clone(&calls);
        let announcement = announcement(server).with_load(move || Load {
            calls: calls.load(Ordering::Relaxed).into(),
            connections: 0.0,
        });
        registrations.push(mdns.register(service, announcement));
    }
    for registration in &registrations {
        registration.registered().await.expect("the entry is taken");
    }
    say(ANNOUNCED);
    while let Some(order) = block_in_place(|| std::io::stdin().lines().next()) {
        let order = order.expect("orders are text");
        match order.as_str() {
            "withdraw" => {
                for registration in registrations.drain(..) {
                    registration.withdraw().await;
                }
            }
            "work" => calls.store(7, Ordering::Relaxed),
            other => panic!("unknown order `{other}`"),
        }
        say(&order);
    }
}

fn say(what: &str) {
    writeln!(std::io::stdout(), "process: {what}").expect("the first process reads this");
}

const SERVERS: &str = "RPCX_TEST_MDNS_SERVERS";
const GO_COMPATIBLE: &str = "RPCX_TEST_MDNS_GO_COMPATIBLE";
const ANNOUNCED: &str = "announced";
const UPDATE: Duration = Duration::from_millis(300);
