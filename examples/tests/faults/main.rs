//! Calls over a network that fails on order, with servers that count what they run, and the program `faults`.

mod every_byte;
mod ledger;
mod other_faults;
mod program;
mod random_cuts;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "each test file is a crate and uses some of it")]
mod support;

use std::io::Write as _;

/// Tells whether the long form of the tests is asked for.
fn long() -> bool {
    std::env::var("RPCX_LONG").is_ok_and(|long| long == "1")
}

/// Not `eprintln`, which the test runner would keep to itself.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
