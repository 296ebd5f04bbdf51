//! The program `faults` between two other programs.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;

use crate::support::Program;

const FAULTS: &str = env!("CARGO_BIN_EXE_faults");
const ARITH_CLIENT: &str = env!("CARGO_BIN_EXE_arith-client");
const INTEROP_CLIENT: &str = env!("CARGO_BIN_EXE_interop-client");
const INTEROP_SERVER: &str = env!("CARGO_BIN_EXE_interop-server");

/// The proxy in front of a server.
struct Between {
    server: Program,
    proxy: Program,
    address: String,
}

impl Between {
    fn start(options: &[&str]) -> Self {
        let server = Program::start(INTEROP_SERVER, &["--addr", "127.0.0.1:0"]);
        let address = server.wait_for("listening on");
        let (_, to) = address.split_once('@').expect("an address has a network");
        let proxy = Program::start(FAULTS, &[&["--to", to, "--seed", "5"], options].concat());
        assert_eq!(proxy.wait_for("seed"), "5");
        let address = proxy.wait_for("listening on");
        Self { server, proxy, address }
    }

    fn end(self) -> String {
        self.server.stop().expect_success();
        let ended = self.proxy.stop().expect_success();
        ended.output.last().expect("the counts").clone()
    }
}

#[test]
fn without_rules_all_interop_checks_pass_through_it() {
    let between = Between::start(&[]);
    let client = Program::run(INTEROP_CLIENT, &["--addr", &between.address]).expect_success();
    let last = client.output.last().expect("the client prints its counts");
    assert!(last.ends_with(" passed, 0 failed"), "{client:#?}");
    let counts = between.end();
    assert!(!counts.contains("cut"), "{counts}");
}

#[test]
fn a_rule_strikes_and_is_told() {
    let between = Between::start(&["--verbose", "--rule", "request times 1 cut 20"]);
    let address = format!("tcp@{}", between.address);
    // Its call may run twice, and so is made again.
    let client = Program::run(ARITH_CLIENT, &["--addr", &address]).expect_success();
    assert_eq!(client.output, ["10 * 20 = 200"]);
    let struck = between.proxy.wait_for("connection 1, request 1:");
    assert!(struck.starts_with("cut 20 of "), "{struck}");
    let counts = between.end();
    assert!(counts.starts_with("2 connections, 2 requests, 1 replies, 1 cut"), "{counts}");
}

#[test]
fn the_control_port_changes_rules() {
    let between = Between::start(&["--control", "127.0.0.1:0"]);
    let control = TcpStream::connect(between.proxy.wait_for("control on")).unwrap();
    let mut lines = BufReader::new(control.try_clone().unwrap()).lines();
    let mut tell = |line: &str| {
        (&control).write_all(format!("{line}\n").as_bytes()).unwrap();
        let mut said = Vec::new();
        loop {
            let line = lines.next().expect("an answer").unwrap();
            let is_last = line == "ok" || line.starts_with("error:");
            said.push(line);
            if is_last {
                return said;
            }
        }
    };
    let check = || {
        let options = ["--addr", &between.address, "--only", "codecs/mul_json"];
        Program::run(INTEROP_CLIENT, &options).status.success()
    };
    assert!(check());
    assert_eq!(tell("reply reset 0"), ["ok"]);
    assert_eq!(tell("rules"), ["reply reset 0", "ok"]);
    assert!(!check());
    assert_eq!(tell("clear"), ["ok"]);
    assert!(check());
    assert_eq!(tell("down"), ["ok"]);
    // It answers before it has done it; then nobody can connect.
    while TcpStream::connect(&between.address).is_ok() {
        std::thread::yield_now();
    }
    assert!(!check());
    assert_eq!(tell("up"), ["ok"]);
    while TcpStream::connect(&between.address).is_err() {
        std::thread::yield_now();
    }
    assert!(check());
    let said = tell("reply lose");
    assert!(said[0].starts_with("error: `lose` is not"), "{said:?}");
    assert!(tell("counts")[0].contains(" reset"));
}

#[test]
fn it_says_what_is_wrong_with_a_rule() {
    let ended = Program::run(FAULTS, &["--to", "127.0.0.1:1", "--rule", "reply cut"]);
    assert_eq!(ended.status.code(), Some(2));
    let why = "the rule ends where a place, such as `10` or `random` was expected";
    assert!(ended.errors.iter().any(|line| line.contains(why)), "{ended:#?}");
}
