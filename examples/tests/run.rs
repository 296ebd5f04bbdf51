//! Runs every example and reads what it prints.

#[path = "support/inherited.rs"]
mod inherited;
#[path = "support/port.rs"]
mod port;
mod show;
#[path = "support/socket.rs"]
mod socket;
mod support;

use std::path::Path;

use inherited::as_systemd_does;
use port::free_port;
use socket::socket_path;
use support::{Ended, Program};

const ARITH_CLIENT: &str = env!("CARGO_BIN_EXE_arith-client");
const ARITH_SERVER: &str = env!("CARGO_BIN_EXE_arith-server");
const BENCH_PEER: &str = env!("CARGO_BIN_EXE_bench-peer");
const INTEROP_CLIENT: &str = env!("CARGO_BIN_EXE_interop-client");
const INTEROP_SERVER: &str = env!("CARGO_BIN_EXE_interop-server");
const RESTART_SERVER: &str = env!("CARGO_BIN_EXE_restart-server");
const QUICKSTART: &str = env!("CARGO_BIN_EXE_quickstart");

#[test]
fn quickstart_shows_every_kind_of_call() {
    let mut lines = Program::run(QUICKSTART, &[]).expect_success().output;
    let rate = lines.remove(4);
    assert!(rate.starts_with("10000 calls, 100 at a time, took "), "{rate}");
    let address = lines.remove(0);
    assert!(address.starts_with("the server listens on tcp@127.0.0.1:"), "{address}");
    assert_eq!(
        lines,
        [
            "10 * 20 = 200",
            "the server says: hello, Ferris",
            "the service refused 1 / 0: cannot divide by zero",
            "started together, collected in a set: [100, 200, 300, 400, 500]",
            "the server noted: tea at four",
            "12 squared here is 144, over the network 144",
            "the server has stopped",
        ]
    );
}

#[test]
fn arith_client_calls_arith_server() {
    let address = format!("tcp@127.0.0.1:{}", free_port());
    let server = Program::start(ARITH_SERVER, &["--addr", &address]);
    assert_eq!(server.wait_for("listening on"), address);
    let client = Program::run(ARITH_CLIENT, &["--addr", &address]).expect_success();
    assert_eq!(client.output, ["10 * 20 = 200"]);
    assert_eq!(server.stop().expect_success().output, ["stopped"]);
}

#[test]
fn arith_client_says_what_to_do_where_nobody_listens() {
    let address = format!("tcp@127.0.0.1:{}", free_port());
    let client = Program::run(ARITH_CLIENT, &["--addr", &address]);
    assert_eq!(client.status.code(), Some(1));
    assert_eq!(client.output, [""; 0]);
    let [why, hint] = &client.errors[..] else { panic!("{client:#?}") };
    assert!(why.starts_with(&format!("arith-client: cannot connect to {address}: ")), "{why}");
    assert_eq!(
        *hint,
        format!("is a server running there? `arith-server --addr {address}` starts one")
    );
}

#[test]
fn arith_server_says_why_it_cannot_listen() {
    let server = Program::run(ARITH_SERVER, &["--addr", "pigeon@loft"]);
    assert_eq!(server.status.code(), Some(1));
    assert_eq!(
        server.errors,
        ["arith-server: \"pigeon@loft\" is no address: unknown network `pigeon` \
             (known: tcp, unix, memory)"]
    );
}

#[test]
fn restart_server_shares_its_port_with_its_successor() {
    let address = format!("tcp@127.0.0.1:{}", free_port());
    let start = || {
        let server = Program::start(RESTART_SERVER, &["--addr", &address, "--reuse-port"]);
        assert_eq!(server.wait_for("listening on"), address);
        server
    };
    let (old, new) = (start(), start());
    check_restart_server(&address, old, new);
}

#[test]
fn restart_server_takes_an_inherited_socket() {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("some port is free");
    let address = format!("tcp@{}", socket.local_addr().expect("it listens"));
    let start = || {
        let socket = socket.try_clone().expect("there are enough descriptors").into();
        let server = Program::start_command(&mut as_systemd_does(RESTART_SERVER, "arith", socket));
        assert_eq!(server.wait_for("listening on"), address);
        server
    };
    let (old, new) = (start(), start());
    check_restart_server(&address, old, new);
}

#[test]
fn restart_server_takes_an_inherited_unix_socket() {
    let path = socket_path("inherited");
    let address = format!("unix@{}", path.display());
    let socket = std::os::unix::net::UnixListener::bind(&path).expect("the path is free");
    let start = || {
        let socket = socket.try_clone().expect("there are enough descriptors").into();
        let server = Program::start_command(&mut as_systemd_does(RESTART_SERVER, "arith", socket));
        assert_eq!(server.wait_for("listening on"), address);
        server
    };
    let (old, new) = (start(), start());
    check_restart_server(&address, old, new);
    std::fs::remove_file(&path).expect("the socket is still there");
}

/// The old server ends, and clients find the new one.
fn check_restart_server(address: &str, old: Program, new: Program) {
    let stopped = "stopped: 0 calls were served while it stopped, 0 were cut";
    assert_eq!(old.stop().expect_success().output, [stopped]);
    let client = Program::run(ARITH_CLIENT, &["--addr", address]).expect_success();
    assert_eq!(client.output, ["10 * 20 = 200"]);
    assert_eq!(new.stop().expect_success().output, [stopped]);
}

#[test]
fn restart_server_says_which_sockets_it_inherited() {
    let server = Program::run(RESTART_SERVER, &["--inherited", "arith"]);
    assert_eq!(server.status.code(), Some(1));
    assert_eq!(
        server.errors,
        ["restart-server: no inherited socket is called `arith`; LISTEN_FDNAMES is \"\""]
    );
}

#[test]
fn interop_over_tcp() {
    interop(&["--addr", "127.0.0.1:0"], &[], &[]);
}

#[test]
fn interop_with_a_token() {
    interop(&["--addr", "127.0.0.1:0"], &["--auth", "secret"], &["--token", "secret"]);
}

#[test]
fn interop_over_unix() {
    let path = socket_path("run");
    let path = path.to_str().expect("the folder for temporary files has a name of text");
    interop(&["--network", "unix", "--addr", path], &[], &["--network", "unix"]);
    assert!(!Path::new(path).exists(), "the socket is still there");
}

/// Checks our server with our client.
fn interop(listen: &[&str], server_options: &[&str], client_options: &[&str]) {
    let server = Program::start(INTEROP_SERVER, &[listen, server_options].concat());
    let address = server.wait_for("listening on");
    let (_, addr) = address.split_once('@').expect("an address has a network");
    server.wait_for("ready");
    let client = Program::run(INTEROP_CLIENT, &[&["--addr", addr], client_options].concat());
    check_passed(client);
    server.stop().expect_success();
}

fn check_passed(client: Ended) {
    let (last, checks) = client.output.split_last().expect("the client prints its counts");
    let failed: Vec<_> = checks.iter().filter(|line| !line.starts_with("ok ")).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(checks.len() > 50, "{checks:#?}");
    assert_eq!(*last, format!("{} passed, 0 failed", checks.len()));
    client.expect_success();
}

#[test]
fn interop_client_lists_and_chooses_checks() {
    let options = ["--addr", "nowhere:1", "--list", "--only", "push,codecs/mul_j*"];
    let list = Program::run(INTEROP_CLIENT, &options).expect_success().output;
    assert_eq!(
        list,
        [
            "codecs/mul_json",
            "codecs/mul_json_gzip",
            "push/three_in_order",
            "push/without_a_handler",
        ]
    );
    let options = [&options[..], &["--skip", "codecs,push/three_in_order"]].concat();
    let list = Program::run(INTEROP_CLIENT, &options).expect_success().output;
    assert_eq!(list, ["push/without_a_handler"]);
}

#[test]
fn interop_client_fails_where_a_check_fails() {
    let addr = format!("127.0.0.1:{}", free_port());
    let client = Program::run(INTEROP_CLIENT, &["--addr", &addr, "--only", "push"]);
    assert_eq!(client.status.code(), Some(1));
    assert_eq!(client.output.last().map(String::as_str), Some("0 passed, 2 failed"));
}

#[test]
fn bench_peers_measure_each_other() {
    let port = free_port().to_string();
    let server = Program::start(BENCH_PEER, &["server", "--port", &port]);
    server.wait_for("ready");
    for workload in ["mul", "msg"] {
        for codec in ["msgpack", "pb"] {
            let what = ["--workload", workload, "--codec", codec];
            let how = ["--conns", "2", "--inflight", "8", "--secs", "0.3", "--warmup", "0.05"];
            let options = [&["client", "--port", &port], &what[..], &how].concat();
            let client = Program::run(BENCH_PEER, &options).expect_success();
            let [line] = &client.output[..] else { panic!("{client:#?}") };
            let report: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
            assert_eq!(report["errors"], 0, "{line}");
            assert!(report["calls"].as_u64().is_some_and(|calls| calls > 0), "{line}");
        }
    }
}
