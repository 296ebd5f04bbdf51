//! Servers that count what they run, behind a proxy that cuts connections within messages: calls that
//! may not run twice do not.
//!
//! There are 10,000 calls, or a million with `RPCX_LONG=1`; `RPCX_CUT_SEED` sets the seed. All is in
//! memory, on one thread and on tokio's paused clock.
#![cfg(feature = "macros")]

use std::io::Write as _;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use rpcx::client::RetryBudget;
use rpcx::registry::MultipleServers;
use rpcx::transport::{ConnectFuture, Connector, Duplex, NetworkConnector, ReadHalf, WriteHalf};
use rpcx::{Address, Bytes, Client as _, Executed, FailMode, Result, RetryRule, Server};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Counts calls under the number that they bring.
#[rpcx::service]
trait Counting {
    /// May run twice.
    #[rpcx(idempotent)]
    async fn put(&self, id: usize, cargo: Bytes) -> Result<usize>;

    /// May not run twice.
    async fn add(&self, id: usize, cargo: Bytes) -> Result<usize>;
}

/// How often each call ran.
#[derive(Clone)]
struct Ledger(Arc<[AtomicU32]>);

impl Ledger {
    fn runs(&self, id: usize) -> u32 {
        self.0[id].load(Ordering::Relaxed)
    }

    async fn run(&self, id: usize) -> usize {
        self.0[id].fetch_add(1, Ordering::Relaxed);
        if id.is_multiple_of(3) {
            // Long enough for others to cut the connection meanwhile.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        id
    }
}

impl Counting for Ledger {
    async fn put(&self, id: usize, _: Bytes) -> Result<usize> {
        Ok(self.run(id).await)
    }

    async fn add(&self, id: usize, _: Bytes) -> Result<usize> {
        Ok(self.run(id).await)
    }
}

/// Connects to servers of this process through a proxy that cuts.
#[derive(Clone, Debug)]
struct Cutting {
    rng: Arc<Mutex<Rng>>,
    cuts: Arc<AtomicU64>,
}

impl Connector for Cutting {
    fn connect(&self, address: &Address) -> ConnectFuture {
        let far = NetworkConnector::new().connect(address);
        let cuts = Arc::clone(&self.cuts);
        let mut rng = self.rng.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut up, mut down) = (rng.fork(), rng.fork());
        Box::pin(async move {
            let Duplex { reader: replies, writer: to_server, .. } = far.await?;
            let (near, ours) = tokio::io::duplex(64 << 10);
            let Duplex { reader: requests, writer: to_client, .. } = Duplex::of(ours);
            tokio::spawn(async move {
                // When one of the two ends, both directions are closed.
                tokio::select! {
                    biased;
                    () = carry(requests, to_server, &mut up, &cuts) => {}
                    () = carry(replies, to_client, &mut down, &cuts) => {}
                }
            });
            Ok(Duplex::of(near))
        })
    }
}

/// Carries messages until one side ends or a cut is due: of that message only a part gets through.
async fn carry(mut from: ReadHalf, mut to: WriteHalf, rng: &mut Rng, cuts: &AtomicU64) {
    loop {
        let mut message = vec![0; HEADER];
        if from.read_exact(&mut message).await.is_err() {
            return;
        }
        let length = u32::from_be_bytes([message[12], message[13], message[14], message[15]]);
        message.resize(HEADER + length as usize, 0);
        if from.read_exact(&mut message[HEADER..]).await.is_err() {
            return;
        }
        let cut = rng.u32(0..MESSAGES_A_CUT) == 0;
        let part = if cut { rng.usize(0..=message.len()) } else { message.len() };
        let carried = to.write_all(&message[..part]).await;
        if cut {
            cuts.fetch_add(1, Ordering::Relaxed);
        }
        if cut || carried.is_err() {
            return;
        }
    }
}

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
    let long = std::env::var("RPCX_LONG").is_ok_and(|long| long == "1");
    let calls = if long { 1_000_000 } else { 10_000 };
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
    let ledger = Ledger((0..calls).map(|_| AtomicU32::new(0)).collect());
    let names = ["a", "b", "c"].map(|server| format!("memory@duplicates-{name}-{server}"));
    for name in &names {
        let server = Server::new().add(CountingServer::new(ledger.clone())).without_registry();
        tokio::spawn(server.bind(name).await.expect("a free name").serve());
    }
    let cuts = Arc::new(AtomicU64::new(0));
    let network = Cutting { rng: Arc::new(Mutex::new(rng.fork())), cuts: Arc::clone(&cuts) };
    let client = CountingClient::builder()
        .registry(MultipleServers::new(names).expect("they are addresses"))
        .connector(network)
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
    Came { seed, calls, rule, cuts: cuts.load(Ordering::Relaxed), duplicates, repeated, tally }
}

impl Came {
    fn report(&self) {
        let Self { seed, calls, rule, cuts, duplicates, repeated, tally } = self;
        let failed = tally.failed;
        // Not `eprintln`, which the test runner would keep to itself.
        let _ = writeln!(
            std::io::stderr(),
            "duplicates, {rule}: seed {seed}, {calls} calls, {cuts} cuts, {duplicates} duplicates; \
             {failed} calls failed, {repeated} idempotent ones ran more than once"
        );
    }
}

fn may_run_twice(id: usize) -> bool {
    id.is_multiple_of(4)
}

const CALLERS: usize = 32;
/// How many messages pass before one is cut, on average.
const MESSAGES_A_CUT: u32 = 60;
/// The part of a message that tells its length.
const HEADER: usize = 16;
