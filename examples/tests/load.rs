//! Runs every scenario of `load` for a moment. What the figures are does not matter: the machine may be
//! busy. That no call fails does.

#[allow(dead_code, reason = "each test file uses a part")]
mod support;

use serde_json::Value;
use support::Program;

const LOAD: &str = env!("CARGO_BIN_EXE_load");

/// Runs a scenario; gives what was measured, by name.
fn run(scenario: &str, options: &[&str]) -> Vec<String> {
    let short = ["--json", "--secs", "0.2", "--warmup", "0.05", scenario];
    let ended = Program::run(LOAD, &[&short[..], options].concat()).expect_success();
    let [line] = &ended.output[..] else { panic!("{ended:#?}") };
    let result: Value = serde_json::from_str(line).expect("a line of JSON");
    assert_eq!(result["scenario"], scenario);
    let rows = result["rows"].as_array().expect("a list");
    let names = rows.iter().map(|row| {
        assert_eq!(row["errors"], 0, "{row}");
        assert!(row["calls_per_s"].is_f64(), "{row}");
        row["what"].as_str().expect("a name").to_owned()
    });
    names.collect()
}

#[test]
fn fairness_compares_calm_connections_with_and_without_a_flood() {
    let rows = run("fairness", &["--calm", "3", "--rate", "100", "--flood", "32"]);
    assert_eq!(
        rows,
        [
            "calm, alone",
            "calm, beside a process that burns",
            "calm, beside a flood of another process",
            "calm, beside a flood of their own process",
            "that flood",
        ]
    );
}

#[test]
fn slow_compares_fast_calls_with_and_without_slow_ones() {
    let rows = run("slow", &["--rate", "200", "--wait", "5", "--burn", "1"]);
    assert_eq!(
        rows,
        [
            "fast, alone",
            "fast, beside a handler that waits",
            "a handler that waits 5ms",
            "fast, beside a handler that burns",
            "a handler that burns 1ms",
        ]
    );
}

#[test]
fn waits_keeps_many_handlers_waiting() {
    let rows = run("waits", &["--conns", "2", "--inflight", "20"]);
    assert_eq!(rows, ["20 waiting 1ms, 2 connections"]);
}

#[test]
fn open_measures_shares_of_the_capacity() {
    for arrivals in ["poisson", "constant"] {
        let rows = run("open", &["--conns", "1", "--arrivals", arrivals, "--percent", "2,5"]);
        assert_eq!(rows, ["as many as there can be", "2 % of that", "5 % of that"]);
    }
}

#[test]
fn overload_measures_what_is_served_of_too_much() {
    let options =
        ["--conns", "2", "--places", "2", "--wait", "5", "--times", "3", "--timeout", "200"];
    let rows = run("overload", &options);
    assert_eq!(
        rows,
        [
            "what the pool can do, others refused",
            "served of 3 times that",
            "refused",
            "without an answer in time",
            "what the pool can do, others wait",
            "served of 3 times that",
            "refused",
            "without an answer in time",
        ]
    );
}

#[test]
fn idle_compares_features_with_a_plain_call() {
    let rows = run("idle", &["--rounds", "1", "--inflight", "4"]);
    assert_eq!(rows.first().map(String::as_str), Some("plain"));
    assert_eq!(rows.len(), 6, "{rows:?}");
}

#[test]
fn a_table_is_for_people() {
    let options = ["--secs", "0.1", "waits", "--conns", "1", "--inflight", "2"];
    let ended = Program::run(LOAD, &options).expect_success();
    let [head, row] = &ended.output[..] else { panic!("{ended:#?}") };
    assert!(head.contains("calls/s"), "{head}");
    assert!(row.starts_with("2 waiting 1ms, 1 connections "), "{row}");
}
