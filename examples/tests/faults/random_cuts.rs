//! Connections that are cut within messages at random: calls that may not run twice do not.
//!
//! There are 10,000 calls, or a million with `RPCX_LONG=1`; `RPCX_CUT_SEED` sets the seed. All is in
//! memory, on one thread and on tokio's paused clock.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use rpcx::client::RetryBudget;
use rpcx::registry::MultipleServers;
use rpcx::{Bytes, Client as _, Executed, FailMode, RetryRule};
use rpcx_examples::faults::{At, Fault, FaultConnector, Faults, Rule, When};

use crate::ledger::{CountingClient, Ledger};
use crate::{long, say};

/// What the callers were told.
#[derive(Debug, Default)]
struct Tally {
    failed: u64,
    /// Calls that are said not to have run; in the end only those that did.
    not_run: Vec<usize>,
    wrong: Vec<String>,
}

/// One of those who call.
struct Caller {
    client: CountingClient,
    rng: Rng,
    ids: std::ops::Range<usize>,
    ledger: Ledger,
    tally: Arc<Mutex<Tally>>,
}

impl Caller {
    async fn run(mut self) {
        for id in self.ids.clone() {
            let size = if self.rng.u8(0..50) == 0 { 20_000 } else { self.rng.usize(0..300) };
            let cargo = Bytes::from(vec![0; size]);
            let modes = [FailMode::Failover, FailMode::Failtry, FailMode::Failfast];
            let mode = modes[self.rng.usize(0..modes.len())];
            let result = if may_run_twice(id) {
                self.client.put(id, cargo).fail_mode(mode).await
            } else {
                self.client.add(id, cargo).fail_mode(mode).await
            };
            let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
            let runs = self.ledger.runs(id);
            match result {
                Ok(reply) if reply == id && runs > 0 => {}
                Ok(reply) => tally.wrong.push(format!("{id} ran {runs} times, and got {reply}")),
                Err(error) => {
                    tally.failed += 1;
                    if error.executed() == Executed::No {
                        tally.not_run.push(id);
                    }
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_may_not_run_twice_does_not() {
    let seed = std::env::var("RPCX_CUT_SEED").map_or(1, |seed| seed.parse().expect("a number"));
    let calls = if long() { 1_000_000 } else { 10_000 };
    let came = make(calls, seed, "safe", RetryRule::Safe).await;
    came.report();
    assert_eq!(came.duplicates, 0, "seed {seed}");
    assert_eq!(came.tally.wrong, [""; 0], "seed {seed}");
    assert_eq!(came.tally.not_run, [0; 0], "seed {seed}: said not to have run");
    assert!(came.cuts > calls as u64 / 100, "{} cuts", came.cuts);
    assert!(came.repeated > 0, "nothing was ever made again");
}

/// Were calls ever to run twice, the ledger would show it.
#[tokio::test(start_paused = true)]
async fn what_is_told_to_run_at_least_once_runs_twice() {
    let came = make(10_000, 1, "at-least-once", RetryRule::AtLeastOnce).await;
    came.report();
    assert!(came.duplicates > 0);
    assert_eq!(came.tally.wrong, [""; 0]);
    assert_eq!(came.tally.not_run, [0; 0]);
}

/// What came of all calls.
struct Came {
    seed: u64,
    calls: usize,
    rule: RetryRule,
    cuts: u64,
    /// Calls that may not run twice, and did.
    duplicates: usize,
    /// Calls that may, and did.
    repeated: usize,
    tally: Tally,
}

/// Makes calls through the proxy; `name` is that of the servers.
async fn make(calls: usize, seed: u64, name: &str, rule: RetryRule) -> Came {
    fastrand::seed(seed);
    let mut rng = Rng::with_seed(seed);
    let ledger = Ledger::new(calls);
    let names = ["a", "b", "c"].map(|server| format!("memory@duplicates-{name}-{server}"));
    ledger.serve(&names).await;
    let faults = Faults::new(rng.u64(..));
    for rule in [Rule::request, Rule::reply] {
        faults.add(rule(Fault::Cut(At::Random)).when(When::OneIn(MESSAGES_A_CUT)));
    }
    let client = CountingClient::builder()
        .registry(MultipleServers::new(names).expect("they are addresses"))
        .connector(FaultConnector::new(faults.clone()))
        .retry(rule)
        // More is made again than a client usually would.
        .retry_budget(RetryBudget::unlimited())
        .retries(10)
        .connect()
        .await
        .expect("the list is there");
    let tally = Arc::new(Mutex::new(Tally::default()));
    let callers = (0..CALLERS).map(|caller| {
        let ids = calls * caller / CALLERS..calls * (caller + 1) / CALLERS;
        let (client, rng) = (CountingClient::from_channel(client.channel().clone()), rng.fork());
        Caller { client, rng, ids, ledger: ledger.clone(), tally: Arc::clone(&tally) }.run()
    });
    futures_util::future::join_all(callers).await;
    // On a paused clock this is over when nobody has anything left to do.
    tokio::time::sleep(Duration::from_secs(1)).await;

    let mut tally = std::mem::take(&mut *tally.lock().unwrap_or_else(PoisonError::into_inner));
    tally.not_run.retain(|id| ledger.runs(*id) > 0);
    let more_than_once = |twice: bool| {
        (0..calls).filter(|id| may_run_twice(*id) == twice && ledger.runs(*id) > 1).count()
    };
    let (duplicates, repeated) = (more_than_once(false), more_than_once(true));
    Came { seed, calls, rule, cuts: faults.counts().of("cut"), duplicates, repeated, tally }
}

impl Came {
    fn report(&self) {
        let Self { seed, calls, rule, cuts, duplicates, repeated, tally } = self;
        let failed = tally.failed;
        say(&format!(
            "duplicates, {rule}: seed {seed}, {calls} calls, {cuts} cuts, {duplicates} duplicates; \
             {failed} calls failed, {repeated} idempotent ones ran more than once"
        ));
    }
}

fn may_run_twice(id: usize) -> bool {
    id.is_multiple_of(4)
}

const CALLERS: usize = 32;
/// How many messages pass before one is cut, on average.
const MESSAGES_A_CUT: u64 = 60;
