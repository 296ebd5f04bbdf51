//! A server is killed under load, again and again: what callers notice of it.
//!
//! There are 3 rounds a test, or 20 with `RPCX_LONG=1`.

#[path = "support/farm.rs"]
#[allow(dead_code, reason = "each test file is a crate and uses some of it")]
mod farm;
#[path = "support/port.rs"]
mod port;
#[allow(dead_code, reason = "each test file is a crate and uses some of it")]
mod support;

use std::io::Write as _;

use farm::{Callers, Failure, Farm, Method};
use rpcx::{Error, Executed};
use tokio::time::Instant;

const INTEROP_SERVER: &str = env!("CARGO_BIN_EXE_interop-server");

/// Callers, and so calls that are on their way at any time.
const CALLERS: usize = 64;

/// Servers, and when they were killed.
struct Rounds {
    farm: Farm,
    callers: Callers,
    killed: Vec<Instant>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_idempotent_call_fails() {
    let mut rounds = Rounds::begin(Method::Idempotent).await;
    for _ in 0..count() {
        rounds.next().await;
    }
    let failures = rounds.callers.failures();
    report("idempotent", &rounds, failures.len());
    assert!(failures.is_empty(), "{failures:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_other_calls_those_fail_that_were_on_their_way_to_the_server() {
    let mut rounds = Rounds::begin(Method::NotIdempotent).await;
    let mut failed = Vec::new();
    for _ in 0..count() {
        let failures = rounds.next().await;
        assert!(failures.len() <= CALLERS, "{}: {failures:#?}", failures.len());
        for Failure { begun, error } in &failures {
            // One that could not have run would have been made elsewhere.
            let may_have_run =
                matches!(error, Error::ConnectionLost { executed: Executed::Maybe, .. });
            assert!(may_have_run, "{begun:?} {error:?}");
        }
        failed.push(failures.len());
    }
    report("not idempotent", &rounds, failed.iter().sum());
    let most = failed.iter().max();
    say(&format!("kill, not idempotent: failures by round {failed:?}, at most {most:?}"));
}

impl Rounds {
    async fn begin(method: Method) -> Self {
        let farm = Farm::of_ours(INTEROP_SERVER, 2);
        let callers = Callers::begin(CALLERS, farm.builder(), method).await;
        Self { farm, callers, killed: Vec::new() }
    }

    /// Kills one server, starts it again, and gives the failures of the time.
    async fn next(&mut self) -> Vec<Failure> {
        self.callers.connected(2).await;
        self.callers.more(1_000).await;
        let place = self.killed.len() % 2;
        self.farm.kill(place);
        self.killed.push(Instant::now());
        self.callers.more(2_000).await;
        let failures = self.callers.failures();
        // The other server takes all of them.
        self.callers.more(1_000).await;
        let late = self.callers.failures();
        assert!(late.is_empty(), "long after the server was killed: {late:#?}");
        self.farm.restart(place);
        self.callers.connected(2).await;
        let back = self.callers.failures();
        assert!(back.is_empty(), "when the server is back: {back:#?}");
        failures
    }
}

fn count() -> usize {
    if std::env::var("RPCX_LONG").is_ok_and(|long| long == "1") { 20 } else { 3 }
}

fn report(kind: &str, rounds: &Rounds, failed: usize) {
    let (calls, kills) = (rounds.callers.calls(), rounds.killed.len());
    say(&format!("kill, {kind}: {kills} kills, {CALLERS} callers, {calls} calls, {failed} failed"));
}

/// Not `eprintln`, which the test runner would keep to itself.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
