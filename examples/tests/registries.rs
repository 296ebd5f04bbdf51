//! Every registry: its pair of example programs, and our programs and those of Go rpcx 1.9.4, which
//! find each other in it.
//!
//! The Go programs are built from `rpcx-runtime/tests/go-peer/registry`. Without Go, or without a
//! registry's server, a test says that it was skipped and passes; where `CI` is `true` it fails.

#[path = "support/go.rs"]
mod go;
#[path = "support/multicast.rs"]
mod multicast;
#[path = "support/place.rs"]
mod place;
#[path = "support/port.rs"]
mod port;
#[path = "support/registry.rs"]
mod registry;
mod support;

use std::io::Write as _;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use go::GoModule;
use place::{CONSUL, ETCD, MDNS, Place, Registry, ZOOKEEPER};
use port::free_port;
use serde_json::Value;
use support::Program;

static GO_PEER: GoModule = GoModule::new("go-peer/registry");

#[test]
fn inprocess() {
    let program = Program::run(env!("CARGO_BIN_EXE_inprocess"), &[]).expect_success();
    assert_eq!(program.output, ["10 * 20 = 200"]);
}

#[test]
fn peer2peer() {
    let server = OurServer::start(env!("CARGO_BIN_EXE_peer2peer-server"), &[]);
    multiply(env!("CARGO_BIN_EXE_peer2peer-client"), &["--registry-addr", &server.address]);
    server.stop();
}

#[test]
fn multiple() {
    let first = OurServer::start(env!("CARGO_BIN_EXE_multiple-server"), &[]);
    let second = OurServer::start(env!("CARGO_BIN_EXE_multiple-server"), &[]);
    let servers = format!("{},{}", first.address, second.address);
    multiply(env!("CARGO_BIN_EXE_multiple-client"), &["--registry-addr", &servers]);
    first.stop();
    second.stop();
}

#[test]
fn etcd() {
    pair("etcd", &ETCD, env!("CARGO_BIN_EXE_etcd-server"), env!("CARGO_BIN_EXE_etcd-client"));
}

#[test]
fn zookeeper() {
    let server = env!("CARGO_BIN_EXE_zookeeper-server");
    pair("zookeeper", &ZOOKEEPER, server, env!("CARGO_BIN_EXE_zookeeper-client"));
}

#[test]
fn consul() {
    let server = env!("CARGO_BIN_EXE_consul-server");
    pair("consul", &CONSUL, server, env!("CARGO_BIN_EXE_consul-client"));
}

#[test]
fn mdns() {
    let Some(_place) = MDNS.place("mdns") else { return };
    let server = OurServer::start(env!("CARGO_BIN_EXE_mdns-server"), &[]);
    server.wait_until_registered();
    multiply(env!("CARGO_BIN_EXE_mdns-client"), &[]);
    server.stop();
}

/// Runs the example programs of a registry that has a server.
fn pair(test: &str, registry: &Registry, server: &str, client: &str) {
    let Some(place) = registry.place(test) else { return };
    let options = ["--registry-addr", &place.address, "--base", &place.base];
    let server = OurServer::start(server, &options);
    server.wait_until_registered();
    multiply(client, &options);
    server.stop();
}

/// Runs one of the example clients.
fn multiply(client: &str, options: &[&str]) {
    let client = Program::run(client, options).expect_success();
    assert_eq!(client.output, ["10 * 20 = 200"]);
}

/// One of the example servers.
struct OurServer {
    program: Program,
    address: String,
}

impl OurServer {
    fn start(program: &str, options: &[&str]) -> Self {
        let address = format!("tcp@127.0.0.1:{}", free_port());
        let program = Program::start(program, &[&["--addr", &address], options].concat());
        assert_eq!(program.wait_for("listening on"), address);
        Self { program, address }
    }

    fn wait_until_registered(&self) {
        self.program.wait_for("registry: Registered");
    }

    fn stop(self) {
        let output = self.program.stop().expect_success().output;
        assert_eq!(output.last().map(String::as_str), Some("stopped"));
    }
}

/// Whose program it is.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Whose {
    Ours,
    Gos,
}

use Whose::{Gos, Ours};

/// Makes a test of each line: whose server registers, whose client finds it.
macro_rules! meetings {
    ($($test:ident: $registry:ident, $server:ident, $client:ident;)*) => {$(
        #[test]
        fn $test() {
            meet(stringify!($test), &$registry, $server, $client);
        }
    )*};
}

meetings! {
    etcd_our_server_our_client: ETCD, Ours, Ours;
    etcd_our_server_gos_client: ETCD, Ours, Gos;
    etcd_gos_server_our_client: ETCD, Gos, Ours;
    etcd_gos_server_gos_client: ETCD, Gos, Gos;
    consul_our_server_our_client: CONSUL, Ours, Ours;
    consul_our_server_gos_client: CONSUL, Ours, Gos;
    consul_gos_server_our_client: CONSUL, Gos, Ours;
    consul_gos_server_gos_client: CONSUL, Gos, Gos;
    mdns_our_server_our_client: MDNS, Ours, Ours;
    mdns_our_server_gos_client: MDNS, Ours, Gos;
    mdns_gos_server_our_client: MDNS, Gos, Ours;
    mdns_gos_server_gos_client: MDNS, Gos, Gos;
    // Go's plugin for it is not on Go's module proxy.
    zookeeper_our_server_our_client: ZOOKEEPER, Ours, Ours;
}

/// Has a server register, a client find and call it, and another see it leave.
fn meet(test: &str, registry: &Registry, server: Whose, client: Whose) {
    let ours = env!("CARGO_BIN_EXE_registry-server");
    let Some(server) = server.program(test, ours, "registry-server") else { return };
    let ours = env!("CARGO_BIN_EXE_registry-client");
    let Some(client) = client.program(test, ours, "registry-client") else { return };
    let Some(place) = registry.place(test) else { return };

    let addr = format!("127.0.0.1:{}", free_port());
    let options = ["--addr", &addr, "--meta", "weight=5", "--interval", "2s"];
    let server = Program::start(server, &[&*place.options(), &options].concat());
    server.wait_until("registered", |line| event(line, "registered"));

    let since = Instant::now();
    // Generous, for etcd has Go's entries only after an interval.
    let options = ["--wait", "30s", "--nocall", "--for", "10m"];
    let watcher = Program::start(&client, &[&*place.options(), &options].concat());
    let alone = |servers: &[String]| matches!(servers, [server] if has_weight(server, &addr));
    wait_for_servers(&watcher, "it alone", alone);
    let found = since.elapsed();

    let since = Instant::now();
    let options = ["--wait", "30s", "-n", "10", "--gap", "20ms"];
    let caller = Program::run(&client, &[&*place.options(), &options].concat());
    let caller = caller.expect_success();
    let done = caller.output.iter().find_map(|line| event(line, "done"));
    let done = done.expect("the client tells when it is done");
    assert_eq!((&done["ok"], &done["failed"]), (&10.into(), &0.into()), "{caller:#?}");
    let called = since.elapsed();

    let since = Instant::now();
    let ended = server.stop().expect_success();
    let stopping = ended.output.iter().find_map(|line| event(line, "stopping"));
    assert_eq!(stopping.expect("the server tells when it stops")["calls"], 10, "{ended:#?}");
    assert!(ended.output.iter().any(|line| event(line, "unregistered").is_some()), "{ended:#?}");
    wait_for_servers(&watcher, "none", <[_]>::is_empty);
    let gone = since.elapsed();
    let _ = writeln!(
        std::io::stderr(),
        "{test}: found within {found:.2?}, called within {called:.2?}, gone within {gone:.2?}"
    );
}

/// What the guide promises of a server that dies, with the default settings of both sides.
const PROMISES: [(&str, &Registry, Duration); 4] = [
    ("etcd", &ETCD, Duration::from_secs(11)),
    ("zookeeper", &ZOOKEEPER, Duration::from_secs(12)),
    ("consul", &CONSUL, Duration::from_secs(21)),
    ("mdns", &MDNS, Duration::from_secs(5)),
];

/// All at once, for it takes as long as the slowest promise.
#[test]
fn a_server_that_is_killed_is_gone_at_a_client() {
    thread::scope(|scope| {
        for (name, registry, promise) in PROMISES {
            let test = format!("a_server_that_is_killed_is_gone_at_a_client ({name})");
            scope.spawn(move || {
                let Some(gone) = killed_until_gone(&test, registry) else { return };
                let _ = writeln!(
                    std::io::stderr(),
                    "{name}: killed with -9 → gone at a client within {gone:.2?}, \
                     {promise:?} are promised"
                );
                // A machine that is busy with other tests is late with everything.
                assert!(gone <= promise.mul_f64(1.5) + Duration::from_secs(5), "{test}: {gone:?}");
            });
        }
    });
}

/// Kills a server that a client sees, and waits until it does not; gives none if that is skipped.
fn killed_until_gone(test: &str, registry: &Registry) -> Option<Duration> {
    let place = registry.place(test)?;
    let addr = format!("127.0.0.1:{}", free_port());
    // The default interval of the library; that of the program is shorter.
    let options = ["--addr", &addr, "--meta", "weight=5", "--interval", "60s"];
    let server = env!("CARGO_BIN_EXE_registry-server");
    let server = Program::start(server, &[&*place.options(), &options].concat());
    server.wait_until("registered", |line| event(line, "registered"));
    let options = ["--wait", "30s", "--nocall", "--for", "10m"];
    let client = env!("CARGO_BIN_EXE_registry-client");
    let watcher = Program::start(client, &[&*place.options(), &options].concat());
    let alone = |servers: &[String]| matches!(servers, [server] if has_weight(server, &addr));
    wait_for_servers(&watcher, "it alone", alone);
    server.kill();
    let since = Instant::now();
    wait_for_servers(&watcher, "none", <[_]>::is_empty);
    Some(since.elapsed())
}

impl Whose {
    /// Gives the program; none if the test is skipped.
    fn program(self, test: &str, ours: &str, gos: &str) -> Option<PathBuf> {
        match self {
            Self::Ours => Some(ours.into()),
            Self::Gos => Some(GO_PEER.programs(test)?.join(gos)),
        }
    }
}

impl Place {
    /// Gives the options that servers and clients of both languages share.
    fn options(&self) -> Vec<&str> {
        let Self { registry, address, base, service, .. } = self;
        let at = ["--registry", registry, "--registry-addr", address];
        [at, ["--base", base, "--service", service]].concat()
    }
}

/// Waits until a client lists the servers that `wanted` is content with.
fn wait_for_servers(client: &Program, what: &str, wanted: impl Fn(&[String]) -> bool) {
    client.wait_until(&format!("a list with {what}"), |line| {
        let servers = event(line, "servers")?;
        let list: Vec<String> = serde_json::from_value(servers["list"].clone()).ok()?;
        wanted(&list).then_some(())
    });
}

/// Tells whether a client's line about a server is `tcp@ADDR ? weight=5`, with or without figures.
fn has_weight(line: &str, addr: &str) -> bool {
    let (server, metadata) = line.split_once(" ? ").unwrap_or((line, ""));
    server.strip_prefix("tcp@") == Some(addr) && metadata.split('&').any(|pair| pair == "weight=5")
}

/// Reads a line of JSON, if it is of this kind.
fn event(line: &str, kind: &str) -> Option<Value> {
    let event: Value = serde_json::from_str(line).ok()?;
    (event["ev"] == kind).then_some(event)
}
