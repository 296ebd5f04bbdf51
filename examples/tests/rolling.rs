//! Servers are replaced under load, again and again: callers notice nothing.
//!
//! There are 2 restarts a test; with `RPCX_LONG=1` there are 20, and a million calls of our clients
//! and of Go's.
//!
//! Go's programs are built from `rpcx-runtime/tests/go-peer`, which needs Go. Without it a test says that it was
//! skipped and passes; where `CI` is `true` it fails. The same goes for registries.

#[path = "support/farm.rs"]
#[allow(dead_code, reason = "each test file is a crate and uses some of it")]
mod farm;
#[path = "support/go.rs"]
mod go;
#[path = "support/inherited.rs"]
mod inherited;
#[path = "support/port.rs"]
mod port;
#[cfg(feature = "etcd")]
#[path = "support/registry.rs"]
mod registry;
#[allow(dead_code, reason = "each test file is a crate and uses some of it")]
mod support;

use std::io::Write as _;
use std::net::TcpListener;
use std::process::{Command, Stdio};

use farm::{Callers, Method};
use go::GoModule;
use inherited::as_systemd_does;
use port::free_port;
use support::Program;

static GO_PEER: GoModule = GoModule::new("go-peer");
#[cfg(feature = "etcd")]
static GO_REGISTRY_PEER: GoModule = GoModule::new("go-peer/registry");
#[cfg(feature = "etcd")]
static ETCD: registry::Shared = registry::Shared::new("etcd");

const INTEROP_SERVER: &str = env!("CARGO_BIN_EXE_interop-server");

const CALLERS: usize = 64;

/// How one server follows another.
struct Succession {
    start: Box<dyn Fn() -> Command>,
    order: Order,
    running: Option<Program>,
}

/// Which of the two is there first.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Order {
    /// The new one: both serve for a while.
    NewFirst,
    /// The old one ends: nobody serves for a while.
    OldFirst,
}

impl Succession {
    fn new(order: Order, start: impl Fn() -> Command + 'static) -> Self {
        let mut this = Self { start: Box::new(start), order, running: None };
        this.running = Some(this.start());
        this
    }

    /// A server at a port.
    fn at(order: Order, address: &str, options: &'static [&'static str]) -> Self {
        let address = address.to_owned();
        Self::new(order, move || {
            let mut command = Command::new(INTEROP_SERVER);
            command.args(["--addr", &address]).args(options).stdin(Stdio::null());
            command
        })
    }

    fn start(&self) -> Program {
        let program = Program::start_command(&mut (self.start)());
        program.wait_for("ready");
        program
    }

    /// Replaces the server; gives how many calls the old one served while it stopped.
    async fn restart(&mut self) -> u64 {
        let old = self.running.take().expect("one runs at any time");
        if self.order == Order::NewFirst {
            self.running = Some(self.start());
        }
        // Callers go on meanwhile, in this very process.
        let ended = tokio::task::spawn_blocking(move || old.stop().expect_success()).await;
        let output = ended.expect("it ends well").output;
        if self.order == Order::OldFirst {
            self.running = Some(self.start());
        }
        let last = output.last().and_then(|line| line.strip_prefix("stopped: "));
        let counts = last.and_then(|counts| counts.strip_suffix(" cut")?.split_once(" served, "));
        let (served, cut) =
            counts.unwrap_or_else(|| panic!("it tells what it served: {output:#?}"));
        assert_eq!(cut, "0", "{output:#?}");
        served.parse().expect("a number")
    }
}

/// Restarts one after the other under the load of our callers; no call may fail.
async fn restarts(test: &str, servers: &mut [Succession], mut callers: Callers) {
    let mut served = 0;
    for round in 0..rounds() {
        // The one that was restarted before has to be back at the callers.
        callers.connected(servers.len()).await;
        load(&mut callers).await;
        let place = round % servers.len();
        served += servers[place].restart().await;
        assert_none_failed(&callers);
    }
    load(&mut callers).await;
    assert_none_failed(&callers);
    let (calls, rounds) = (callers.calls(), rounds());
    say(&format!(
        "{test}: {rounds} restarts, {CALLERS} callers, {calls} calls, 0 failed, {served} served by servers \
         that stopped"
    ));
}

/// Has the callers go on for some time.
async fn load(callers: &mut Callers) {
    for _ in 0..thousands_a_round() {
        callers.more(1_000).await;
    }
}

fn assert_none_failed(callers: &Callers) {
    let failures = callers.failures();
    assert!(failures.is_empty(), "{}: {:#?}", failures.len(), failures.first());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_of_a_list() {
    let addresses = [(); 2].map(|()| format!("127.0.0.1:{}", free_port()));
    let mut servers =
        addresses.each_ref().map(|at| Succession::at(Order::OldFirst, at, &["--shutdown", "10"]));
    let list = addresses.map(|at| format!("tcp@{at}"));
    // Not even those calls fail that may not be made again.
    let callers = Callers::begin(CALLERS, farm::builder(&list), Method::NotIdempotent).await;
    restarts("two_servers_of_a_list", &mut servers, callers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_shares_its_port_with_its_successor() {
    let address = format!("127.0.0.1:{}", free_port());
    let server = Succession::at(Order::NewFirst, &address, &["--reuse-port"]);
    let callers = farm::builder(&[format!("tcp@{address}")]);
    let callers = Callers::begin(CALLERS, callers, Method::Idempotent).await;
    restarts("a_server_that_shares_its_port_with_its_successor", &mut [server], callers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_inherit_their_socket() {
    for order in [Order::NewFirst, Order::OldFirst] {
        let socket = TcpListener::bind("127.0.0.1:0").expect("some port is free");
        let address = format!("tcp@{}", socket.local_addr().expect("it listens"));
        let server = Succession::new(order, move || {
            let socket = socket.try_clone().expect("there are enough descriptors");
            as_systemd_does(INTEROP_SERVER, "arith", socket.into())
        });
        let callers = farm::builder(&[address]);
        let callers = Callers::begin(CALLERS, callers, Method::NotIdempotent).await;
        restarts("servers_that_inherit_their_socket", &mut [server], callers).await;
    }
}

#[cfg(feature = "etcd")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_of_a_registry() {
    use rpcx::registry::Etcd;
    use rpcx_examples::interop::InteropClient;

    let Some(etcd) = ETCD.server("two_servers_of_a_registry") else { return };
    let mut servers = registered(etcd.address(), "/rpcx_test");
    let found = Etcd::new([etcd.address()]).base_path("/rpcx_test");
    // A server may be ready a moment before it stands in the registry.
    let builder = InteropClient::builder().registry(found).wait_for_server(SAFETY);
    let callers = Callers::begin(CALLERS, builder, Method::NotIdempotent).await;
    restarts("two_servers_of_a_registry", &mut servers, callers).await;
}

#[cfg(feature = "etcd")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gos_client_of_a_registry() {
    let test = "gos_client_of_a_registry";
    let Some(folder) = GO_REGISTRY_PEER.programs(test) else { return };
    let Some(etcd) = ETCD.server(test) else { return };
    let mut servers = registered(etcd.address(), "/rpcx_go");
    let at = ["--registry", "etcd", "--registry-addr", etcd.address(), "--base", "/rpcx_go"];
    let mut command = Command::new(folder.join("registry-client"));
    command.args(at).args(["--failover", "--attended", "--gap", "100us", "--wait", "30s"]);
    let caller = Program::start_command(command.stdin(Stdio::piped()));
    let event = |line: &str, kind: &str| {
        let event: serde_json::Value = serde_json::from_str(line).ok()?;
        (event["ev"] == kind).then_some(event)
    };
    let mut calls = 0;
    let mut more = || {
        // It is one caller, and takes its time.
        for _ in 0..thousands_a_round().div_ceil(10) {
            let wanted = calls + 500;
            calls = caller.wait_until("calls go on", |line| {
                event(line, "calls")?["count"].as_u64().filter(|calls| *calls >= wanted)
            });
        }
    };
    let sees_both = || {
        caller.wait_until("a list of both", |line| {
            event(line, "servers")?["list"].as_array().filter(|list| list.len() == 2).map(drop)
        });
    };
    for round in 0..rounds() {
        sees_both();
        more();
        servers[round % servers.len()].restart().await;
    }
    sees_both();
    more();
    let output = caller.close_input().expect_success().output;
    let done = output.iter().find_map(|line| event(line, "done")).expect("it counts");
    assert_eq!(done["failed"], 0, "{output:#?}");
    say(&format!("{test}: {} restarts, {} calls, 0 failed", rounds(), done["ok"]));
}

/// Two servers that stand in etcd.
#[cfg(feature = "etcd")]
fn registered(etcd: &str, base: &str) -> [Succession; 2] {
    let registry = format!("etcd://{etcd}{base}");
    [(); 2].map(|()| {
        let (address, registry) = (format!("127.0.0.1:{}", free_port()), registry.clone());
        Succession::new(Order::OldFirst, move || {
            let mut command = Command::new(INTEROP_SERVER);
            command.args(["--addr", &address]).env("RPCX_REGISTRY", &registry);
            command.stdin(Stdio::null());
            command
        })
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gos_clients_that_try_elsewhere() {
    let Some(folder) = GO_PEER.programs("gos_clients_that_try_elsewhere") else { return };
    let addresses = [(); 2].map(|()| format!("127.0.0.1:{}", free_port()));
    // Go's clients are not told, and stay until the end.
    let options = &["--reuse-port", "--shutdown", "1"];
    let mut servers = addresses.each_ref().map(|at| Succession::at(Order::NewFirst, at, options));
    let list = addresses.map(|at| format!("tcp@{at}")).join(",");
    let mut command = Command::new(folder.join("go-caller"));
    let callers = command.args(["-servers", &list]).stdin(Stdio::piped());
    let callers = Program::start_command(callers);
    let mut calls = 0;
    let mut more = |callers: &Program| {
        for _ in 0..thousands_a_round() {
            let wanted = calls + 1_000;
            calls = callers.wait_until("calls go on", |line| {
                let (calls, _) = go_counts(line)?;
                (calls >= wanted).then_some(calls)
            });
        }
    };
    let mut served = 0;
    for round in 0..rounds() {
        more(&callers);
        served += servers[round % servers.len()].restart().await;
    }
    more(&callers);
    let output = callers.close_input().expect_success().output;
    let errors: Vec<_> = output.iter().filter(|line| line.starts_with("error ")).collect();
    let (calls, failed) = output.last().and_then(|line| go_counts(line)).expect("it counts");
    assert_eq!(failed, 0, "of {calls}: {errors:#?}");
    let rounds = rounds();
    say(&format!(
        "gos_clients_that_try_elsewhere: {rounds} restarts, {calls} calls, 0 failed, {served} served by servers \
         that stopped"
    ));
}

/// Reads `calls N failed M`.
fn go_counts(line: &str) -> Option<(u64, u64)> {
    let (calls, failed) = line.strip_prefix("calls ")?.split_once(" failed ")?;
    Some((calls.parse().ok()?, failed.parse().ok()?))
}

fn is_long() -> bool {
    std::env::var("RPCX_LONG").is_ok_and(|long| long == "1")
}

fn rounds() -> usize {
    if is_long() { 20 } else { 2 }
}

fn thousands_a_round() -> u64 {
    if is_long() { 50 } else { 1 }
}

/// Not `eprintln`, which the test runner would keep to itself.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// How long anything may take. It never decides a test that passes.
#[cfg(feature = "etcd")]
const SAFETY: std::time::Duration = std::time::Duration::from_secs(30);
