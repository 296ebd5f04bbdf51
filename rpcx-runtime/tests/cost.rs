//! What a call costs, counted: system calls, tasks, copies. Heap blocks are counted in `allocations.rs`.
#![cfg(feature = "macros")]

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use rpcx::client::Channel;
use rpcx::protocol::SerializeType;
use rpcx::server::interceptor::Interceptor;
use rpcx::transport::Listener;
use rpcx::{Bytes, Client as _, Server};

#[path = "support/client.rs"]
#[allow(dead_code, reason = "each test file uses a part")]
mod support;
#[path = "support/watched.rs"]
mod watched;

use support::{ArithClient, ArithServer, Calculator, Reply, args, serve, soon};
use watched::{Log, WatchedConnector, WatchedListener};

/// Reads and writes of one side.
#[derive(Debug, PartialEq)]
struct Counted {
    reads: usize,
    writes: usize,
}

/// A server and a channel to it, both over watched sockets.
async fn watched(server: Server) -> (Channel, [Arc<Log>; 2]) {
    let logs: [Arc<Log>; 2] = Default::default();
    let [client, served] = &logs;
    let listener = WatchedListener::bind(served).await;
    let bound = server.bind_to(Listener::Own(Box::new(listener))).unwrap();
    let address = bound.local_addr().to_string();
    tokio::spawn(bound.serve());
    let connector = WatchedConnector(Arc::clone(client));
    let channel = Channel::builder().connector(connector).connect_to(&address).await.unwrap();
    (channel, logs)
}

/// What `run` costs client and server.
async fn counted(logs: &[Arc<Log>; 2], run: impl Future<Output = ()>) -> [Counted; 2] {
    let before = logs.each_ref().map(|log| log.counts());
    run.await;
    // The server still looks for more, and finds the socket empty.
    support::settle().await;
    let mut after = logs.iter().zip(before).map(|(log, before)| {
        let now = log.counts();
        Counted { reads: now[0] - before[0], writes: now[1] - before[1] }
    });
    [(); 2].map(|()| after.next().expect("there are two"))
}

async fn multiply(client: &ArithClient, calls: usize) {
    for n in 0..i64::try_from(calls).expect("a small number") {
        assert_eq!(client.mul(args(n, 2)).await.unwrap(), Reply { c: 2 * n });
    }
}

/// An interceptor of the server that leaves everything as it is.
struct Nothing;

impl Interceptor for Nothing {}

#[tokio::test]
async fn a_lone_call_costs_each_side_one_write_and_a_read_that_finds_something() {
    let server = || Server::new().add(ArithServer::new(Calculator));
    for server in [server(), server().interceptor(Nothing).interceptor(Nothing)] {
        let (channel, logs) = watched(server).await;
        let client = ArithClient::new(channel);
        multiply(&client, 1).await;
        support::settle().await;
        let calls = 100;
        let [client, server] = counted(&logs, multiply(&client, calls)).await;
        // The second read is asked for and costs no system call: tokio knows that the socket is empty.
        assert_eq!(client, Counted { reads: 2 * calls, writes: calls });
        assert_eq!(server, Counted { reads: 2 * calls, writes: calls });
    }
}

#[tokio::test]
#[expect(
    clippy::print_stdout,
    reason = "the numbers are worth more than that they are small enough"
)]
async fn calls_that_are_under_way_together_share_reads_and_writes() {
    let (channel, logs) = watched(Server::new().add(ArithServer::new(Calculator))).await;
    let client = ArithClient::new(channel);
    multiply(&client, 1).await;
    let sides = counted(&logs, async {
        let callers = (0..CALLERS).map(|_| {
            let client = client.clone();
            tokio::spawn(async move { multiply(&client, CALLS).await })
        });
        for caller in callers.collect::<Vec<_>>() {
            soon(caller).await.unwrap();
        }
    });
    for side in soon(sides).await {
        println!("{side:?} for {} calls", CALLERS * CALLS);
        assert!(10 * (side.reads + side.writes) <= CALLERS * CALLS, "{side:?}");
    }
}

/// Notes in which tasks its handlers run.
#[derive(Clone, Default)]
struct Tasks(Arc<Mutex<HashSet<tokio::task::Id>>>);

#[rpcx::service]
trait Where {
    async fn ready(&self) -> rpcx::Result<()>;

    async fn waits(&self) -> rpcx::Result<()>;

    #[rpcx(spawn)]
    async fn apart(&self) -> rpcx::Result<()>;
}

/// Says it once for all methods.
#[rpcx::service(spawn)]
trait AllApart {
    async fn ready(&self) -> rpcx::Result<()>;
}

impl AllApart for Tasks {
    async fn ready(&self) -> rpcx::Result<()> {
        self.note();
        Ok(())
    }
}

impl Tasks {
    fn note(&self) {
        self.0.lock().unwrap().insert(tokio::task::id());
    }

    fn take(&self) -> usize {
        std::mem::take(&mut *self.0.lock().unwrap()).len()
    }
}

impl Where for Tasks {
    async fn ready(&self) -> rpcx::Result<()> {
        self.note();
        Ok(())
    }

    async fn waits(&self) -> rpcx::Result<()> {
        tokio::task::yield_now().await;
        self.note();
        Ok(())
    }

    async fn apart(&self) -> rpcx::Result<()> {
        self.note();
        Ok(())
    }
}

#[tokio::test]
async fn a_handler_that_is_ready_runs_in_its_connections_task_and_starts_none() {
    for interceptors in [false, true] {
        let tasks = Tasks::default();
        let mut server = Server::new().add(WhereServer::new(tasks.clone()));
        if interceptors {
            server = server.interceptor(Nothing);
        }
        let address = serve(server, &format!("memory@tasks-{interceptors}")).await;
        handlers_run_where_they_should(&WhereClient::connect_to(&address).await.unwrap(), &tasks)
            .await;
    }
}

async fn handlers_run_where_they_should(client: &WhereClient, tasks: &Tasks) {
    client.ready().await.unwrap();
    let before = started_so_far();
    for _ in 0..100 {
        client.ready().await.unwrap();
    }
    // Tests of the same program start tasks too; 100 calls with a task each would still show.
    let started = started_so_far() - before;
    assert!(started < 50, "{started} tasks for 100 calls");
    assert_eq!(tasks.take(), 1);
    for _ in 0..100 {
        client.waits().await.unwrap();
    }
    assert_eq!(tasks.take(), 100);
    for _ in 0..100 {
        client.apart().await.unwrap();
    }
    assert_eq!(tasks.take(), 100);
}

#[tokio::test]
async fn handlers_of_a_service_that_spawns_get_tasks_of_their_own() {
    let tasks = Tasks::default();
    let server = Server::new().add(AllApartServer::new(tasks.clone()));
    let client = AllApartClient::connect_to(&serve(server, "memory@apart").await).await.unwrap();
    for _ in 0..100 {
        client.ready().await.unwrap();
    }
    assert_eq!(tasks.take(), 100);
}

/// Counts the tasks that this program ever started: tokio numbers them.
fn started_so_far() -> u64 {
    tokio::spawn(async {}).id().to_string().parse().expect("ids are numbers")
}

/// Gives bytes back, and keeps a share of them.
#[derive(Clone, Default)]
struct Keeper(Arc<Mutex<Vec<Bytes>>>);

#[rpcx::service]
trait Keep {
    async fn echo(&self, data: Bytes) -> rpcx::Result<Bytes>;
}

impl Keep for Keeper {
    async fn echo(&self, data: Bytes) -> rpcx::Result<Bytes> {
        self.0.lock().unwrap().push(data.clone());
        Ok(data)
    }
}

/// What the read buffer held before it grew was copied as it grew, 16 KiB at most: the end of the
/// payload tells.
#[tokio::test]
async fn large_raw_bytes_are_where_they_were_read_and_are_written_from_where_they_are() {
    let keeper = Keeper::default();
    let (channel, logs) = watched(Server::new().add(KeepServer::new(keeper.clone()))).await;
    let [client_log, server_log] = logs;
    let client = KeepClient::new(channel);
    for size in [16 << 10, 100_000, 1 << 20] {
        let sent: Bytes = (0..=u8::MAX).cycle().take(size).collect::<Vec<_>>().into();
        let reply = soon(client.echo(&sent).codec(SerializeType::RAW).into_future()).await.unwrap();
        assert_eq!(reply, sent);
        let served = keeper.0.lock().unwrap().pop().unwrap();
        assert!(client_log.was_written_from(&sent), "{size} bytes were copied before they left");
        assert!(server_log.was_read_into(&served), "{size} bytes were copied at the server");
        assert!(server_log.was_written_from(&served), "{size} bytes were copied for the reply");
        assert!(client_log.was_read_into(&reply), "{size} bytes were copied at the client");
    }
}

const CALLERS: usize = 64;
const CALLS: usize = 100;
