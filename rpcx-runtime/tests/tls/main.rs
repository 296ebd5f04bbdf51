//! TLS between clients and servers, with certificates that are made for the test.
#![cfg(all(feature = "tls", feature = "macros"))]

mod calls;
mod handshakes;
mod hanging;
mod logging;
mod mismatch;
mod reloading;
mod stopping;
#[path = "../support/trace_log.rs"]
#[allow(dead_code, reason = "each test file uses a part")]
mod trace_log;
#[path = "../support/watched.rs"]
#[allow(dead_code, reason = "each test file uses a part")]
mod watched;
mod world;
