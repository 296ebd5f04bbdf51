//! What the tests of the protocol and of the server share.
//!
//! A service whose handlers tell what they do, a server that runs in a task, and a client that
//! sees messages as they are on the wire.
#![allow(dead_code, unused_imports, reason = "each test file is a crate and uses some of it")]

mod environment;
mod frame;
mod golden;
mod probe;
mod raw;
mod running;
mod service;

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

pub(crate) use environment::{runs_here, with_environment};
pub(crate) use frame::{Answer, Frame, pack, reencode, unpack};
pub(crate) use golden::{hex, lines};
pub(crate) use probe::{Event, Gate, Probe};
pub(crate) use raw::Raw;
pub(crate) use running::Running;
pub(crate) use service::{Args, Interop, InteropServer, MetaReply, Nothing, Reply, Tester, Text};

/// Waits for an event that is sure to come.
///
/// With a paused clock this fails as soon as nobody has anything left to do.
pub(crate) async fn soon<F: Future>(event: F) -> F::Output {
    tokio::time::timeout(SAFETY, event).await.expect("what the test waits for does not come")
}

/// Gives an address that no other test of this process has.
pub(crate) fn memory_address() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("memory@test-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A TCP address with a port that the system chooses.
pub(crate) const TCP: &str = "tcp@127.0.0.1:0";

const SAFETY: Duration = Duration::from_secs(30);
