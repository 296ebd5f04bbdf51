//! Panics, very many of them: each fails its own call, and nothing is left of any.
//!
//! A program of its own, as it looks at its memory. There are 20,000 panics, or with `RPCX_LONG=1` a million.
#![cfg(all(feature = "macros", target_os = "linux"))]

use std::fs;
use std::io::Write as _;
use std::panic;
use std::sync::Arc;
use std::time::Instant;

use rpcx::server::interceptor::{Incoming, Interceptor, Next, Outgoing, Rejection};
use rpcx::{Error, Result, Server};
use serde::{Deserialize, Serialize, Serializer};
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// Methods that panic, each in another place.
#[rpcx::service]
trait Faulty {
    /// Before it waits for anything.
    async fn at_once(&self) -> Result<()>;

    /// After it has waited.
    async fn later(&self) -> Result<()>;

    /// In a task of its own.
    #[rpcx(spawn)]
    async fn spawned(&self) -> Result<()>;

    /// In the drop of a local.
    async fn in_drop(&self) -> Result<()>;

    /// While its reply is encoded.
    async fn in_reply(&self) -> Result<Bomb>;

    /// Never comes to it: the interceptor panics.
    async fn in_interceptor(&self) -> Result<()>;

    /// Does not panic, and answers when the test says so.
    async fn wait(&self) -> Result<i64>;
}

struct Faults {
    waiting: Arc<Notify>,
    open: Arc<Notify>,
}

impl Faulty for Faults {
    async fn at_once(&self) -> Result<()> {
        panic!("{BOOM}")
    }

    async fn later(&self) -> Result<()> {
        tokio::task::yield_now().await;
        panic!("{BOOM}")
    }

    async fn spawned(&self) -> Result<()> {
        panic!("{BOOM}")
    }

    async fn in_drop(&self) -> Result<()> {
        let _bomb = DropBomb;
        Ok(())
    }

    async fn in_reply(&self) -> Result<Bomb> {
        Ok(Bomb)
    }

    async fn in_interceptor(&self) -> Result<()> {
        Ok(())
    }

    async fn wait(&self) -> Result<i64> {
        self.waiting.notify_one();
        self.open.notified().await;
        Ok(42)
    }
}

/// Panics while it is encoded.
#[derive(Debug, Deserialize)]
struct Bomb;

impl Serialize for Bomb {
    fn serialize<S: Serializer>(&self, _: S) -> std::result::Result<S::Ok, S::Error> {
        panic!("{BOOM}")
    }
}

/// Panics when it is dropped.
struct DropBomb;

impl Drop for DropBomb {
    fn drop(&mut self) {
        panic!("{BOOM}")
    }
}

/// Panics around one of the methods.
struct Trips;

impl Interceptor for Trips {
    async fn call(
        &self,
        request: Incoming,
        next: Next<'_>,
    ) -> std::result::Result<Outgoing, Rejection> {
        assert!(request.method() != "InInterceptor", "{BOOM}");
        next.run(request).await
    }
}

/// Makes a call that panics, in the place that `number` says; checks what the caller is told.
async fn panics(client: &FaultyClient, number: usize) {
    let error = match number % 6 {
        0 => client.at_once().await.unwrap_err(),
        1 => client.later().await.unwrap_err(),
        2 => client.spawned().await.unwrap_err(),
        3 => client.in_drop().await.unwrap_err(),
        4 => client.in_reply().await.unwrap_err(),
        _ => client.in_interceptor().await.unwrap_err(),
    };
    let Error::Service(text) = error else { panic!("an answer, found {error:?}") };
    let (what, number) = text.rsplit_once(" panicked, incident ").expect("the text of a panic");
    assert!(what.starts_with("[service internal error]: "), "{text}");
    assert!(number.parse::<u64>().is_ok(), "{text}");
}

async fn many_panic(client: &FaultyClient, count: usize) {
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let client = client.clone();
        callers.spawn(async move {
            for number in 0..count / CALLERS {
                panics(&client, caller + number).await;
            }
        });
    }
    callers.join_all().await;
}

/// Gives the memory that this process has resident, in KiB.
fn resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it is told");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Keeps the standard error output for what was not asked for.
fn be_silent_of_what_is_asked_for() {
    let others = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if info.payload().downcast_ref::<String>().is_none_or(|text| text != BOOM) {
            others(info);
        }
    }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_panics_leave_nothing() {
    be_silent_of_what_is_asked_for();
    let [waiting, open] = [(); 2].map(|()| Arc::new(Notify::new()));
    let faults = Faults { waiting: Arc::clone(&waiting), open: Arc::clone(&open) };
    let server = Server::new().add(FaultyServer::new(faults)).interceptor(Trips);
    let bound = server.bind("memory@panics").await.unwrap();
    let address = bound.local_addr().to_string();
    tokio::spawn(bound.serve());
    let client = FaultyClient::connect_to(&address).await.unwrap();
    let other = client.wait().start();
    waiting.notified().await;

    // What the first ones set up for good is no leak.
    many_panic(&client, 6_000).await;
    let (before, begun) = (resident_kib(), Instant::now());
    let count =
        if std::env::var("RPCX_LONG").is_ok_and(|long| long == "1") { 1_000_000 } else { 20_000 };
    many_panic(&client, count).await;
    let grown = resident_kib().saturating_sub(before);
    // Not `eprintln`, which the test runner would keep to itself.
    let _ = writeln!(
        std::io::stderr(),
        "panics: {count} in {:.1?}, memory grew by {grown} KiB, from {before}",
        begun.elapsed()
    );
    // One more KiB a panic would be 20 MiB at least.
    assert!(grown <= 4 << 10, "{grown} KiB");

    // All of it was on one connection, and a call that was on its way at the same time is none the worse.
    open.notify_one();
    assert_eq!(other.await.unwrap(), 42);
}

const BOOM: &str = "a panic that the test asked for";
const CALLERS: usize = 32;
