//! Runs every example of `show` and reads what it prints.

use crate::support::Program;

const SHOW: &str = env!("CARGO_BIN_EXE_show");

/// What each example prints.
type Lines = &'static [&'static str];

/// An ellipsis stands for what differs from run to run.
const EXAMPLES: [(&str, Lines); 33] = [
    (
        "selector/random",
        &[
            "memory@a answered … of 300 calls",
            "memory@b answered … of 300 calls",
            "memory@c answered … of 300 calls",
        ],
    ),
    (
        "selector/roundrobin",
        &[
            "in turn: memory@…",
            "memory@a answered 1 of 3 calls of two clones",
            "memory@b answered 1 of 3 calls of two clones",
            "memory@c answered 1 of 3 calls of two clones",
        ],
    ),
    ("selector/weighted", &["weights 5, 1, 1: aabacaa", "weights 5, 1, 1: aabacaa"]),
    (
        "selector/hash",
        &[
            "ada: memory@a",
            "alan: memory@a",
            "barbara: memory@b",
            "edsger: memory@c",
            "grace: memory@b",
            "niklaus: memory@a",
            "without memory@c, edsger: memory@a",
        ],
    ),
    (
        "selector/geo",
        &[
            "a client in berlin calls memory@vienna",
            "a client in chicago calls memory@boston",
            "a client in honolulu calls memory@tokyo",
        ],
    ),
    ("selector/ping", &["memory@near answers nearly all calls"]),
    (
        "selector/customized",
        &[
            r#"a client in the west: {"memory@b": 5, "memory@c": 5}"#,
            r#"when the west is gone: {"memory@a": 10}"#,
        ],
    ),
    (
        "failmode/failover",
        &[
            "the first call: 200",
            "  attempt 1 at memory@gone: cannot connect to memory@gone",
            "  attempt 2 at memory@good: answered",
            "the second call: 200",
            "  attempt 1 at memory@good: answered",
        ],
    ),
    (
        "failmode/failfast",
        &[
            "the first call: cannot connect to memory@gone",
            "  attempt 1 at memory@gone: cannot connect to memory@gone",
            "the second call: 200",
            "  attempt 1 at memory@good: answered",
        ],
    ),
    (
        "failmode/failtry",
        &[
            "no server: cannot connect to memory@late",
            "  attempt 1 at memory@late: cannot connect to memory@late",
            "  attempt 2 at memory@late: cannot connect to memory@late",
            "  attempt 3 at memory@late: cannot connect to memory@late",
            "  attempt 4 at memory@late: cannot connect to memory@late",
            "a server that starts meanwhile answers: 200",
        ],
    ),
    ("failmode/failbackup", &["memory@slow takes a minute, memory@quick answers at once"]),
    (
        "failmode/idempotent",
        &[
            "deposit: the connection to memory@doomed ended before the reply; the call may have run",
            "balance: 100, from the other server",
            "deposit at least once: 105, from the other server",
        ],
    ),
    (
        "broadcast",
        &[
            "3 servers were called, all succeeded: 200",
            "failed at memory@gone: cannot connect to memory@gone",
        ],
    ),
    (
        "fork",
        &[
            "one of four servers is well: 200",
            "failed at memory@broken: out of order",
            "failed at memory@gone: cannot connect to memory@gone",
        ],
    ),
    (
        "inform",
        &["memory@a: 200", "memory@b: out of order", "memory@gone: cannot connect to memory@gone"],
    ),
    (
        "breaker",
        &[
            "call 1: cannot connect to memory@patient",
            "call 2: cannot connect to memory@patient",
            "call 3: cannot connect to memory@patient",
            "call 4: not executed: the breaker for memory@patient is open",
            "call 5: 200",
        ],
    ),
    (
        "heartbeat",
        &[
            "the silent server is given up; the call may have run",
            "the server that answers heartbeats is called: 200",
        ],
    ),
    (
        "group",
        &[
            "the blue servers: memory@a, memory@c",
            "blue, all, not blue: [2, 3, 1] servers",
            "red: no server: none of the servers of `Arith` (3) is active and in the group",
        ],
    ),
    (
        "state",
        &[
            "2 servers",
            r#"a is inactive: {"memory@b": 10}"#,
            "both are inactive: no server: none of the servers of `Arith` (2) is active and in the group",
            "both are back: 2 servers",
        ],
    ),
    ("sticky", &["6 calls to memory@a", "after its crash, 6 calls to memory@b"]),
    ("oneclient", &["2 services at 2 servers, 8 calls: 2 connections"]),
    ("oneshot", &["the server was told: tea at four", "the server was told: 10 * 20"]),
    (
        "timeout",
        &[
            "no reply within 200ms; the call may have run",
            "the server has stopped working on it",
            "10 * 20 = 200, from memory@quick",
        ],
    ),
    ("metadata", &["Good day, Ada", "Guten Tag, Ada (language: de)"]),
    (
        "auth",
        &[
            "with the token: 200",
            "without a token: invalid token",
            "with another one: invalid token",
        ],
    ),
    (
        "tls",
        &[
            "billing.internal: welcome, billing",
            "shop.internal: billing only",
            "without a certificate: TLS: the server refuses: CertificateRequired, it asks for a \
             certificate, and none was shown",
            "trusting somebody else: TLS: none of the given authorities signed the server's \
             certificate",
            "with a new certificate: welcome, billing",
            "in this process: billing only",
        ],
    ),
    (
        "interceptor",
        &[
            "> Greeter.Greet",
            "  > attempt 1 at memory@gone",
            "    not connected to memory@gone: cannot connect to memory@gone",
            "  < attempt 1: cannot connect to memory@gone",
            "  > attempt 2 at memory@good",
            "    connected to memory@good",
            "  < attempt 2: answered",
            "< Greeter.Greet: 14 bytes",
            "good day, Ada",
            "> Greeter.Insult",
            "< Greeter.Insult: we do not say such things",
            "we do not say such things",
        ],
    ),
    (
        "server/interceptor",
        &[
            "a client connected, from None",
            "> Greeter.Greet",
            "< Greeter.Greet: 14 bytes",
            "good day, Ada (served by vienna)",
            "> Greeter.Greet",
            "< Greeter.Greet: rejected: say who you are",
            "say who you are",
        ],
    ),
    (
        "server/blacklist",
        &["not on the list: 200", "on the list: refused is true", "off the list again: 200"],
    ),
    (
        "server/ratelimit",
        &[
            r#"10 calls to two servers: {"memory@busy": 2, "memory@idle": 8}"#,
            "alone: not executed: memory@busy did not take the call: request reached rate limit: calls of Arith.Mul",
        ],
    ),
    (
        "server/alias",
        &["Calculator.Times: 200", "without the alias: rpcx: can't find service Calculator"],
    ),
    ("server/function", &["Math.Mul: 200", "Text.Reverse: desserts, 8 bytes"]),
    (
        "server/trace",
        &[
            "the caller's trace: 4bf92f3577b34da6a3ce929d0e0e4736",
            "without one, a new trace of 32 digits",
        ],
    ),
];

#[test]
fn every_example_shows_what_it_says() {
    let running = EXAMPLES.map(|(name, lines)| (name, lines, Program::start(SHOW, &[name])));
    for (name, expected, program) in running {
        let printed = program.end().expect_success().output;
        assert_eq!(printed.len(), expected.len(), "{name}: {printed:#?}");
        for (printed, expected) in printed.iter().zip(expected) {
            assert!(fits(printed, expected), "{name}: `{printed}` is not `{expected}`");
        }
    }
}

/// Compares a line; an ellipsis fits anything but nothing.
fn fits(line: &str, expected: &str) -> bool {
    let Some((start, end)) = expected.split_once('…') else { return line == expected };
    let rest = line.strip_prefix(start).and_then(|line| line.strip_suffix(end));
    rest.is_some_and(|rest| !rest.is_empty())
}

#[test]
fn without_a_name_all_examples_are_listed() {
    let list = Program::run(SHOW, &[]).expect_success().output;
    let names: Vec<_> = list.iter().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, EXAMPLES.map(|(name, _)| name));
}

#[test]
fn an_unknown_example_is_an_error() {
    let ended = Program::run(SHOW, &["selector/best"]);
    assert_eq!(ended.status.code(), Some(1));
    assert_eq!(
        ended.errors,
        ["show: there is no example `selector/best`; without an argument, all are listed"]
    );
}
