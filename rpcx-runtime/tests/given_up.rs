//! Calls that are given up at random moments: no handler goes on, and no place stays taken.
#![cfg(feature = "macros")]

use std::future::IntoFuture as _;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fastrand::Rng;
use rpcx::{Result, Server};
use tokio::sync::Barrier;
use tokio::task::{JoinSet, yield_now};

#[rpcx::service]
trait Work {
    /// Answers after a few turns, or never.
    async fn work(&self, turns: u32, ends: bool) -> Result<u32>;

    /// Answers when as many have come as there may be calls under way.
    async fn meet(&self) -> Result<()>;
}

struct Worker {
    guards: Arc<Guards>,
    meeting: Barrier,
}

/// The handlers that were begun, and those that are.
#[derive(Default)]
struct Guards {
    begun: AtomicU64,
    ended: AtomicU64,
    alive: AtomicI64,
}

/// A handler that is.
struct Guard<'a>(&'a Guards);

impl<'a> Guard<'a> {
    fn new(guards: &'a Guards) -> Self {
        guards.begun.fetch_add(1, Ordering::Relaxed);
        guards.alive.fetch_add(1, Ordering::Relaxed);
        Self(guards)
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.alive.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Work for Worker {
    async fn work(&self, turns: u32, ends: bool) -> Result<u32> {
        let _guard = Guard::new(&self.guards);
        wait(turns).await;
        if !ends {
            std::future::pending::<()>().await;
        }
        self.guards.ended.fetch_add(1, Ordering::Relaxed);
        Ok(turns)
    }

    async fn meet(&self) -> Result<()> {
        self.meeting.wait().await;
        Ok(())
    }
}

async fn wait(turns: u32) {
    for _ in 0..turns {
        yield_now().await;
    }
}

/// What became of calls.
#[derive(Default)]
struct Outcomes {
    answered: u64,
    given_up: u64,
    clients_gone: u64,
}

/// Makes calls and gives most of them up; some go with their whole client.
async fn caller(seed: u64, address: String, shared: WorkClient) -> Outcomes {
    let mut rng = Rng::with_seed(seed);
    let mut outcomes = Outcomes::default();
    for _ in 0..CALLS / CALLERS {
        let (turns, patience, ends) = (rng.u32(0..30), rng.u32(0..60), rng.bool());
        if rng.u8(0..20) == 0 {
            let own = WorkClient::builder().connect_lazily(&address).unwrap();
            let started = own.work(turns, ends).start();
            wait(patience).await;
            drop(own);
            drop(started);
            outcomes.clients_gone += 1;
            continue;
        }
        let call = shared.work(turns, ends).into_future();
        tokio::select! {
            biased;
            () = wait(patience) => outcomes.given_up += 1,
            result = call => {
                // Not that of another call.
                assert_eq!(result.unwrap(), turns);
                outcomes.answered += 1;
            }
        }
    }
    outcomes
}

async fn nothing_is_left(address: &str) {
    let guards = Arc::<Guards>::default();
    let worker = Worker { guards: Arc::clone(&guards), meeting: Barrier::new(PLACES) };
    let bound = Server::new().add(WorkServer::new(worker)).bind(address).await.unwrap();
    let address = bound.local_addr().to_string();
    tokio::spawn(bound.serve());
    let builder = WorkClient::builder().max_in_flight(PLACES);
    let client = builder.connect_to(&address).await.unwrap();
    // A client tells of calls that it gives up once it knows that the server understands.
    assert_eq!(client.work(0, true).await.unwrap(), 0);

    let mut callers = JoinSet::new();
    for seed in 0..CALLERS {
        callers.spawn(caller(seed, address.clone(), client.clone()));
    }
    let mut all = Outcomes::default();
    for outcomes in callers.join_all().await {
        all.answered += outcomes.answered;
        all.given_up += outcomes.given_up;
        all.clients_gone += outcomes.clients_gone;
    }
    let last = Instant::now();
    while guards.alive.load(Ordering::Relaxed) > 0 {
        assert!(last.elapsed() < Duration::from_secs(30), "handlers of nobody's calls go on");
        yield_now().await;
    }
    let gone = last.elapsed();

    // Every place is free again: so many calls are under way together.
    let mut meeting = JoinSet::new();
    for _ in 0..PLACES {
        meeting.spawn(client.meet().start());
    }
    let met = tokio::time::timeout(Duration::from_secs(30), meeting.join_all()).await;
    assert!(met.expect("all come together").into_iter().all(|result| result.is_ok()));

    let [begun, ended] = [&guards.begun, &guards.ended].map(|count| count.load(Ordering::Relaxed));
    let Outcomes { answered, given_up, clients_gone } = all;
    assert_eq!(answered + given_up + clients_gone, CALLS);
    assert!(given_up > CALLS / 4 && answered > CALLS / 10, "{given_up} {answered}");
    // Not `eprintln`, which the test runner would keep to itself.
    let _ = writeln!(
        std::io::stderr(),
        "given up: {CALLS} calls over {address}, {answered} answered, {given_up} given up, {clients_gone} \
         with their client; {begun} handlers begun, {ended} ended, the last gone {gone:.1?} after the last call"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_calls_that_are_given_up_leave_nothing() {
    nothing_is_left("memory@given-up").await;
    nothing_is_left("tcp@127.0.0.1:0").await;
}

const CALLS: u64 = 10_000;
const CALLERS: u64 = 25;
/// Calls that may be under way together, less than there are callers.
const PLACES: usize = 16;
