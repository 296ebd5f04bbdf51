//! Connections that end within a message, at each of its bytes: what ran, and what the caller was told.

use std::time::Duration;

use rpcx::client::RetryBudget;
use rpcx::registry::MultipleServers;
use rpcx::{Bytes, Error, Executed, FailMode};
use rpcx_examples::faults::{At, Fault, FaultConnector, Faults, Rule, Side, When};

use crate::ledger::{CountingClient, Ledger};
use crate::say;

/// One call whose first attempt is cut.
#[derive(Clone, Copy, Debug)]
struct Case {
    id: usize,
    idempotent: bool,
    mode: FailMode,
    side: Side,
    at: usize,
    /// The length of the message that is cut.
    length: usize,
}

impl Case {
    /// Tells whether the server has the whole request.
    fn is_delivered(self) -> bool {
        self.side == Side::Reply || self.at == self.length
    }

    /// Tells whether the client has the whole reply.
    fn is_answered(self) -> bool {
        self.side == Side::Reply && self.at == self.length
    }

    fn rule(self) -> Rule {
        let (side, fault) = (self.side, Fault::Cut(At::Byte(self.at)));
        Rule { side, ..Rule::request(fault) }
    }
}

#[tokio::test(start_paused = true)]
async fn a_cut_at_any_byte_runs_nothing_twice_and_is_told_truly() {
    let names = ["a", "b"].map(|name| format!("memory@every-byte-{name}"));
    let ledger = Ledger::new(10_000);
    ledger.serve(&names).await;
    let cases = cases(&names).await;
    let (mut failed, mut repeated) = (0, 0);
    for case in &cases {
        fastrand::seed(case.id as u64);
        let result = call(&names, *case).await;
        // What the far side has, it may still be at work on.
        tokio::time::sleep(Duration::from_millis(10)).await;
        let runs = ledger.runs(case.id);
        check(*case, &result, runs);
        failed += usize::from(result.is_err());
        repeated += usize::from(runs > 1);
    }
    say(&format!(
        "cut at every byte: {} calls, {failed} failed, {repeated} idempotent ones ran more than once",
        cases.len()
    ));
    assert!(failed > 0 && repeated > 0, "{failed} {repeated}");
}

/// Every place of a request and of a reply, in every fail mode.
async fn cases(names: &[String]) -> Vec<Case> {
    let mut cases = Vec::new();
    for idempotent in [false, true] {
        for mode in
            [FailMode::Failover, FailMode::Failtry, FailMode::Failfast, FailMode::Failbackup]
        {
            if mode == FailMode::Failbackup && !idempotent {
                // It is refused: see the client's own tests.
                continue;
            }
            for side in [Side::Request, Side::Reply] {
                let case = Case { id: MEASURED, idempotent, mode, side, at: usize::MAX, length: 0 };
                let length = length(names, case).await;
                cases.extend((0..=length).map(|at| Case { at, length, ..case }));
            }
        }
    }
    cases.iter_mut().enumerate().for_each(|(id, case)| case.id = id + FIRST);
    cases
}

/// Measures the message that would be cut.
async fn length(names: &[String], case: Case) -> usize {
    let faults = Faults::new(0).with(case.rule());
    let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
    faults.watch(move |struck| told.send(struck.what.clone()).expect("the test runs"));
    let _ = call_through(faults, names, case).await;
    let what = heard.recv().await.expect("it struck");
    let (_, length) = what.rsplit_once(" of ").expect("it tells the length");
    length.parse().expect("a number")
}

async fn call(names: &[String], case: Case) -> rpcx::Result<usize> {
    let rule = case.rule().when(When::Nth(1)).times(1);
    call_through(Faults::new(case.id as u64).with(rule), names, case).await
}

async fn call_through(faults: Faults, names: &[String], case: Case) -> rpcx::Result<usize> {
    let client = CountingClient::builder()
        .registry(MultipleServers::new(names).expect("they are addresses"))
        .connector(FaultConnector::new(faults))
        .retry_budget(RetryBudget::unlimited())
        .backup_latency(Duration::from_secs(3_600))
        .connect()
        .await
        .expect("the list is there");
    let cargo = Bytes::from(vec![7; 5]);
    if case.idempotent {
        client.put(case.id, cargo).fail_mode(case.mode).await
    } else {
        client.add(case.id, cargo).fail_mode(case.mode).await
    }
}

fn check(case: Case, result: &rpcx::Result<usize>, runs: u32) {
    let again = case.idempotent && !matches!(case.mode, FailMode::Failfast);
    match result {
        Ok(reply) => {
            assert_eq!(*reply, case.id, "{case:?}");
            assert!(case.is_answered() || again, "{case:?} succeeded");
        }
        Err(error) => {
            let maybe = matches!(error, Error::ConnectionLost { executed: Executed::Maybe, .. });
            assert!(maybe, "{case:?}: {error:?}");
            assert!(!again && !case.is_answered(), "{case:?} is to be made again: {error:?}");
        }
    }
    // A request of which a part came never runs; one whose reply began did.
    let first = if case.side == Side::Reply { 1..=1 } else { 0..=u32::from(case.is_delivered()) };
    let second = u32::from(again && !case.is_answered());
    let possible = first.start() + second..=first.end() + second;
    assert!(possible.contains(&runs), "{case:?} ran {runs} times, not {possible:?}");
}

/// From here on numbers up to 32,767 take three bytes each.
const FIRST: usize = 256;
/// The number of the calls that only show how long messages are.
const MEASURED: usize = 9_000;
