//! A call that goes on from server to server has one deadline.
#![cfg(feature = "macros")]

use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rpcx::{Context, Error, Executed, Result, Server};
use tokio::task::JoinSet;
use tokio::time::Instant;

#[rpcx::service]
trait Step {
    /// Goes on to the next server; the last one never answers.
    async fn go(&self, context: &Context) -> Result<()>;
}

/// One of the servers.
struct Station {
    name: char,
    /// How long it takes before it goes on.
    work: Duration,
    next: Option<StepClient>,
    diary: Diary,
}

/// When a handler began and when it was dropped, and what it was told it had.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Visit {
    name: char,
    left: Duration,
    dropped_after: Duration,
}

/// The visits that are over.
#[derive(Clone)]
struct Diary {
    begun: Instant,
    visits: Arc<Mutex<Vec<Visit>>>,
}

impl Diary {
    fn new() -> Self {
        Self { begun: Instant::now(), visits: Arc::default() }
    }

    /// Waits for so many visits; gives them by name.
    async fn visits(&self, count: usize) -> Vec<Visit> {
        let begun = Instant::now();
        loop {
            let mut visits = self.visits.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if visits.len() >= count {
                visits.sort_by_key(|visit| visit.name);
                return visits;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "{visits:?}");
            tokio::time::sleep(ms(1)).await;
        }
    }
}

struct Visiting<'a> {
    diary: &'a Diary,
    name: char,
    left: Duration,
}

impl Drop for Visiting<'_> {
    fn drop(&mut self) {
        let dropped_after = self.diary.begun.elapsed();
        let visit = Visit { name: self.name, left: self.left, dropped_after };
        self.diary.visits.lock().unwrap_or_else(PoisonError::into_inner).push(visit);
    }
}

impl Step for Station {
    async fn go(&self, context: &Context) -> Result<()> {
        let left = context.remaining().expect("there is a deadline");
        let _visiting = Visiting { diary: &self.diary, name: self.name, left };
        tokio::time::sleep(self.work).await;
        match &self.next {
            Some(next) => next.go().inherit(context).await,
            None => std::future::pending().await,
        }
    }
}

/// Serves three in a row, each at such an address; gives a client of the first.
async fn chain(addresses: [&str; 3], work: [Duration; 3], diary: &Diary) -> StepClient {
    let mut next = None;
    for ((name, address), work) in ['a', 'b', 'c'].into_iter().zip(addresses).zip(work).rev() {
        let station = Station { name, work, next, diary: diary.clone() };
        let bound = Server::new().add(StepServer::new(station)).bind(address).await.unwrap();
        let address = bound.local_addr().to_string();
        tokio::spawn(bound.serve());
        next = Some(StepClient::connect_to(&address).await.unwrap());
    }
    next.expect("there are three")
}

#[track_caller]
fn assert_timeout(result: &Result<()>) {
    let Err(Error::Timeout { after, executed }) = result else { panic!("{result:?}") };
    assert_eq!((*after, *executed), (BUDGET, Executed::Maybe));
}

#[tokio::test(start_paused = true)]
async fn each_server_is_told_what_is_left_and_all_end_with_the_first_callers_time() {
    let diary = Diary::new();
    let addresses = ["memory@chain-a", "memory@chain-b", "memory@chain-c"];
    let client = chain(addresses, [ms(50), ms(60), ms(0)], &diary).await;
    let begun = Instant::now();
    assert_timeout(&client.go().timeout(BUDGET).await);
    assert_eq!(begun.elapsed(), BUDGET);
    let visits = diary.visits(3).await;
    let left: Vec<_> = visits.iter().map(|visit| (visit.name, visit.left)).collect();
    assert_eq!(left, [('a', ms(200)), ('b', ms(150)), ('c', ms(90))]);
    for Visit { name, dropped_after, .. } in visits {
        // The timer is exact to a millisecond.
        assert!((ms(200)..=ms(201)).contains(&dropped_after), "{name}: {dropped_after:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_behind_one_that_takes_too_long_is_not_called() {
    let diary = Diary::new();
    let addresses = ["memory@late-a", "memory@late-b", "memory@late-c"];
    let client = chain(addresses, [ms(150), ms(60), ms(0)], &diary).await;
    assert_timeout(&client.go().timeout(BUDGET).await);
    tokio::time::sleep(Duration::from_secs(10)).await;
    let visits = diary.visits(2).await;
    let left: Vec<_> = visits.iter().map(|visit| (visit.name, visit.left)).collect();
    assert_eq!(left, [('a', ms(200)), ('b', ms(50))]);
}

/// By the clock; how much later a call may end is the machine's business, so it is told and not judged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_over_tcp_end_with_their_time_too() {
    let diary = Diary::new();
    let client = chain(["tcp@127.0.0.1:0"; 3], [ms(20), ms(20), ms(0)], &diary).await;
    let mut calls = JoinSet::new();
    for _ in 0..CALLS {
        let begun = Instant::now();
        let call = client.go().timeout(BUDGET).start();
        calls.spawn(async move {
            let error = call.await.expect_err("nobody answers");
            // Times are told in whole milliseconds: the call behind may end a moment earlier, and the handler
            // before it pass that on as an error of its own.
            let passed_on = |text: &str| text.starts_with("no reply within");
            match &error {
                Error::Timeout { .. } => {}
                Error::Service(text) if passed_on(text) => {}
                other => panic!("{other:?}"),
            }
            begun.elapsed()
        });
        tokio::time::sleep(ms(2)).await;
    }
    let mut late: Vec<_> =
        calls.join_all().await.into_iter().map(|took| took.saturating_sub(BUDGET)).collect();
    late.sort_unstable();
    diary.visits(3 * CALLS).await;
    // Not `eprintln`, which the test runner would keep to itself.
    let _ = writeln!(
        std::io::stderr(),
        "chain: {CALLS} calls over three servers end {:.1?} after their time, p99 {:.1?}; no handler is left",
        late[CALLS / 2],
        late[CALLS * 99 / 100]
    );
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

const BUDGET: Duration = ms(200);
const CALLS: usize = 300;
