//! Those who call, and what came of it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use rpcx::client::interceptor::{Incoming, Interceptor, Next, Outgoing};
use rpcx::client::{Breaker, RetryBudget};
use rpcx::{Address, Bytes, Error, Executed, FailMode, Result};

use crate::ledger::{LedgerClient, REFUSED, is_refused};
use crate::network::SimConnector;
use crate::plan::{ATTEMPT, BREAKER_OPEN, CONNECT, HEARTBEAT, Plan, ms};
use crate::registry::Flapping;
use crate::trace::{Trace, now};

/// What came of a call.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) id: u64,
    pub(crate) client: usize,
    pub(crate) kind: Kind,
    pub(crate) patience: Patience,
    pub(crate) begun: Duration,
    pub(crate) ended: Duration,
    pub(crate) outcome: Outcome,
}

/// What kind of call it was.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// Idempotent, in a fail mode.
    Put(FailMode),
    /// Not idempotent, in a fail mode.
    Add(FailMode),
    /// Not idempotent, at all servers.
    AddAtAll,
    /// Not idempotent, without a reply.
    Note,
}

/// How long the caller waits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Patience {
    /// Long enough for every attempt.
    Enough,
    /// As long, but the call is made again only so often.
    Retries(u32),
    /// For ever.
    Unlimited,
    /// The call has this timeout, which may be too short.
    Timeout(Duration),
    /// The call is dropped after this time.
    Dropped(Duration),
}

#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// It succeeded, or the service refused it as it should.
    Answered,
    /// The reply belongs to another call.
    WrongReply(u64),
    Failed {
        executed: Executed,
        /// For whoever reads the record.
        #[expect(dead_code, reason = "it is only shown")]
        text: String,
    },
    /// What each server came to.
    AtEach(Vec<(Address, Option<Executed>)>),
    Dropped,
}

pub(crate) type Records = Arc<Mutex<Vec<Record>>>;

/// Makes calls with a client until the plan ends.
pub(crate) async fn call(plan: Plan, client: usize, registry: Flapping, trace: Trace, to: Records) {
    let connected = connect(&plan, registry).await.expect("a registry is given");
    let callers = (0..plan.callers).map(|caller| {
        let number = client * 100 + caller;
        let rng = Rng::with_seed(plan.seed ^ (number as u64 + 1) << 32);
        let first = number as u64 * 100_000 + 1;
        let to = Arc::clone(&to);
        Caller { client, plan: &plan, ledger: &connected, rng, next: first, trace: &trace, to }
            .run()
    });
    futures_util::future::join_all(callers).await;
}

async fn connect(plan: &Plan, registry: Flapping) -> Result<LedgerClient> {
    let setup = &plan.setup;
    let mut builder = LedgerClient::builder()
        .registry(registry)
        .connector(SimConnector { piece: setup.piece })
        .select(setup.select)
        .ejection(setup.ejection)
        .connect_timeout(CONNECT)
        .max_in_flight(setup.in_flight)
        .connections_per_server(setup.connections)
        // With the first attempt as many as there are addresses, the strangers' included.
        .retries(u32::try_from(plan.servers).unwrap_or_default() + 1);
    if setup.heartbeat {
        builder = builder.heartbeat(HEARTBEAT, HEARTBEAT);
    }
    if setup.attempt_timeout {
        builder = builder.attempt_timeout(ATTEMPT);
    }
    if setup.intercepted {
        builder = builder.interceptor(Passing);
    }
    if setup.unlimited_retries {
        builder = builder.retry_budget(RetryBudget::unlimited());
    }
    if setup.breaker {
        builder = builder.breaker(Breaker::consecutive(3, BREAKER_OPEN));
    }
    if setup.sticky {
        builder = builder.sticky();
    }
    if setup.waits_for_server {
        builder = builder.wait_for_server(ms(1_000));
    }
    builder.connect().await
}

/// Does nothing; that it is there makes calls take the other way.
struct Passing;

impl Interceptor for Passing {
    async fn attempt(&self, request: Outgoing, next: Next<'_>) -> Result<Incoming> {
        next.run(request).await
    }
}

struct Caller<'a> {
    client: usize,
    plan: &'a Plan,
    ledger: &'a LedgerClient,
    rng: Rng,
    next: u64,
    trace: &'a Trace,
    to: Records,
}

impl Caller<'_> {
    async fn run(mut self) {
        while now() < self.plan.end {
            tokio::time::sleep(ms(self.rng.u64(0..50))).await;
            let (kind, patience) = (self.kind(), self.patience());
            let (id, begun) = (self.next, now());
            self.next += 1;
            let outcome = self.make(id, kind, patience).await;
            let ended = now();
            self.trace.note(ended, format!("{id} {kind:?} {patience:?}: {outcome:?}"));
            let client = self.client;
            let record = Record { id, client, kind, patience, begun, ended, outcome };
            self.to.lock().unwrap_or_else(PoisonError::into_inner).push(record);
        }
    }

    fn kind(&mut self) -> Kind {
        match self.rng.u8(0..100) {
            0..35 => Kind::Put(FailMode::Failover),
            35..45 => Kind::Put(FailMode::Failbackup),
            45..50 => Kind::Put(FailMode::Failtry),
            50..52 => Kind::Put(FailMode::Failfast),
            52..68 => Kind::Add(FailMode::Failover),
            68..78 => Kind::Add(FailMode::Failtry),
            78..85 => Kind::Add(FailMode::Failfast),
            85..87 => Kind::Add(FailMode::Failbackup),
            87..94 => Kind::AddAtAll,
            _ => Kind::Note,
        }
    }

    fn patience(&mut self) -> Patience {
        match self.rng.u8(0..20) {
            0 | 1 => Patience::Timeout(ms(self.rng.u64(1..300))),
            2 | 3 => Patience::Dropped(ms(self.rng.u64(0..100))),
            4 | 5 => Patience::Unlimited,
            6..9 => Patience::Retries(self.rng.u32(0..3)),
            _ => Patience::Enough,
        }
    }

    async fn make(&mut self, id: u64, kind: Kind, patience: Patience) -> Outcome {
        let call = self.outcome(id, kind, patience);
        match patience {
            Patience::Dropped(after) => {
                tokio::time::timeout(after, call).await.unwrap_or(Outcome::Dropped)
            }
            _ => call.await,
        }
    }

    fn outcome(
        &mut self,
        id: u64,
        kind: Kind,
        patience: Patience,
    ) -> impl Future<Output = Outcome> + use<'_> {
        let work = if self.rng.bool() { 0 } else { self.rng.u64(1..20) };
        let cargo =
            Bytes::from(vec![0; if self.rng.u8(0..4) > 0 { 8 } else { self.rng.usize(0..600) }]);
        let (ledger, spawned) = (self.ledger, self.rng.u8(0..4) == 0);
        async move {
            let timeout = match patience {
                Patience::Enough | Patience::Retries(_) => Some(ENOUGH),
                Patience::Timeout(timeout) => Some(timeout),
                Patience::Unlimited | Patience::Dropped(_) => None,
            };
            macro_rules! call {
                ($method:ident, $mode:expr) => {{
                    let call = ledger.$method(id, work, cargo).fail_mode($mode);
                    let call = match patience {
                        Patience::Retries(retries) => call.retries(retries),
                        _ => call,
                    };
                    match timeout {
                        Some(timeout) => call.timeout(timeout),
                        None => call,
                    }
                }};
            }
            match kind {
                Kind::Put(mode) if spawned => outcome(id, call!(put, mode).start().await),
                Kind::Put(mode) => outcome(id, call!(put, mode).await),
                Kind::Add(mode) if spawned => outcome(id, call!(add, mode).start().await),
                Kind::Add(mode) => outcome(id, call!(add, mode).await),
                Kind::Note => match call!(add, FailMode::Failover).oneway().await {
                    Ok(()) => Outcome::Answered,
                    Err(error) => failed(&error),
                },
                Kind::AddAtAll => match call!(add, FailMode::Failfast).inform().await {
                    Ok(receipts) => Outcome::AtEach(
                        receipts
                            .into_iter()
                            .map(|receipt| {
                                let failed =
                                    receipt.result.err().filter(|error| !is_as_due(id, error));
                                (receipt.address, failed.map(|error| error.executed()))
                            })
                            .collect(),
                    ),
                    Err(error) => failed(&error),
                },
            }
        }
    }
}

fn outcome(id: u64, result: Result<u64>) -> Outcome {
    match result {
        Ok(reply) if reply == id && !is_refused(id) => Outcome::Answered,
        Ok(reply) => Outcome::WrongReply(reply),
        Err(error) if is_as_due(id, &error) => Outcome::Answered,
        Err(error) => failed(&error),
    }
}

fn is_as_due(id: u64, error: &Error) -> bool {
    is_refused(id) && matches!(error, Error::Service(text) if text == REFUSED)
}

fn failed(error: &Error) -> Outcome {
    Outcome::Failed { executed: error.executed(), text: error.to_string() }
}

/// The time of as many attempts, each with a dial and a heartbeat that stays without an answer.
const ENOUGH: Duration = ms(10 * (150 + 2 * 150 + 100));
