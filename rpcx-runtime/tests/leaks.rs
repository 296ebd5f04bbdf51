//! What is left of connections that came and went: no task, and no descriptor.
//!
//! A program of its own, as other tests would open descriptors at the same time.
#![cfg(all(feature = "macros", target_os = "linux"))]

use std::future::IntoFuture as _;
use std::time::{Duration, Instant};

use rpcx::registry::MultipleServers;
use rpcx::{Error, Executed, FailMode, Instance, Result, Server};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle};
use tokio::task::JoinHandle;

#[rpcx::service]
trait Work {
    #[rpcx(idempotent)]
    async fn answer(&self, id: i64) -> Result<i64>;

    /// Does not end.
    async fn hang(&self) -> Result<()>;
}

struct Worker;

impl Work for Worker {
    async fn answer(&self, id: i64) -> Result<i64> {
        Ok(id)
    }

    async fn hang(&self) -> Result<()> {
        std::future::pending().await
    }
}

/// A server until it is killed.
async fn serve() -> (String, JoinHandle<()>) {
    let bound = Server::new().add(WorkServer::new(Worker)).bind("tcp@127.0.0.1:0").await.unwrap();
    (bound.local_addr().to_string(), tokio::spawn(bound.serve()))
}

/// Takes connections and ends each at its first byte.
async fn break_off(listener: TcpListener) {
    loop {
        let (stream, _) = listener.accept().await.expect("there is room for a connection");
        let _ = stream.readable().await;
    }
}

/// What there is at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Count {
    tasks: usize,
    descriptors: usize,
}

impl Count {
    fn now() -> Self {
        let descriptors = std::fs::read_dir("/proc/self/fd").expect("Linux has it").count();
        Self { tasks: Handle::current().metrics().num_alive_tasks(), descriptors }
    }

    /// Waits until no more is left than there was; what is to end has ten seconds.
    async fn is_back_at(self) {
        let begun = Instant::now();
        loop {
            let now = Self::now();
            if now.tasks <= self.tasks && now.descriptors <= self.descriptors {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(10), "{now:?} is left of {self:?}");
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
        }
    }
}

/// One connection, or two, that come and go in one of several ways.
async fn cycle(number: i64, well: &str, breaking: &str) {
    match number % 6 {
        // It answers, and the client goes.
        0 => {
            let client = WorkClient::connect_to(well).await.unwrap();
            assert_eq!(client.answer(number).await.unwrap(), number);
        }
        // The client goes before the call is over.
        1 => {
            let client = WorkClient::builder().connect_lazily(well).unwrap();
            let call = client.hang().start();
            assert_eq!(client.answer(number).await.unwrap(), number);
            drop(client);
            drop(call);
        }
        // The call is given up while it dials or later.
        2 => {
            let client = WorkClient::builder().connect_lazily(well).unwrap();
            let call = client.hang().into_future();
            let waited = Duration::from_micros(u64::try_from(number % 300).unwrap());
            assert!(tokio::time::timeout(waited, call).await.is_err());
        }
        // The server goes.
        3 => {
            let builder = WorkClient::builder().fail_mode(FailMode::Failfast);
            let client = builder.connect_lazily(breaking).unwrap();
            let error = client.answer(number).await.unwrap_err();
            assert!(matches!(error, Error::ConnectionLost { .. }), "{error:?}");
            assert_eq!(error.executed(), Executed::Maybe);
        }
        // One server goes and another answers; one leaves the list.
        4 => {
            let list = MultipleServers::new([breaking, well]).unwrap();
            let builder = WorkClient::builder().registry(list.clone());
            let client = builder.fail_mode(FailMode::Failover).connect().await.unwrap();
            assert_eq!(client.answer(number).await.unwrap(), number);
            list.update([Instance::new(well.parse().unwrap())]);
            assert_eq!(client.answer(number).await.unwrap(), number);
        }
        // Two requests, heartbeats, round trips: all the tasks that a client may have.
        _ => {
            let list = MultipleServers::new([breaking, well]).unwrap();
            let second = Duration::from_secs(1);
            let builder = WorkClient::builder().registry(list).heartbeat(second, second);
            let builder = builder.idle_timeout(second).select(rpcx::SelectMode::WeightedPing);
            let builder = builder.fail_mode(FailMode::Failbackup).connections_per_server(2);
            let client = builder.backup_latency(Duration::ZERO).connect().await.unwrap();
            assert_eq!(client.answer(number).await.unwrap(), number);
        }
    }
}

fn nothing_is_left_of(cycles: i64) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let begun = Count::now();
        let (well, server) = serve().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let breaking = format!("tcp@{}", listener.local_addr().unwrap());
        let broken = tokio::spawn(break_off(listener));
        // What the first ones set up for good is no leak.
        for number in 0..12 {
            cycle(number, &well, &breaking).await;
        }
        tokio::task::yield_now().await;
        // The two servers' tasks and sockets.
        let base = Count { tasks: begun.tasks + 2, descriptors: begun.descriptors + 2 };
        base.is_back_at().await;
        for number in 0..cycles {
            cycle(number, &well, &breaking).await;
            if number % 500 == 499 {
                base.is_back_at().await;
            }
        }
        base.is_back_at().await;
        server.abort();
        broken.abort();
        begun.is_back_at().await;
    });
}

#[test]
fn nothing_is_left_of_ten_thousand_connections() {
    nothing_is_left_of(10_000);
    a_client_that_outlives_its_servers_keeps_one_connection_each();
}

/// Not a test of its own: the descriptors of the other would be counted.
fn a_client_that_outlives_its_servers_keeps_one_connection_each() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let begun = Count::now();
        let list = MultipleServers::of([]);
        let builder = WorkClient::builder().registry(list.clone());
        let builder = builder.wait_for_server(Duration::from_secs(10));
        let client = builder.fail_mode(FailMode::Failover).connect().await.unwrap();
        let mut servers = Vec::new();
        let mut base = None;
        for number in 0..100 {
            let (address, server) = serve().await;
            servers.push((Instance::new(address.parse().unwrap()), server));
            if servers.len() > 2 {
                servers.remove(0).1.abort();
            }
            let named: Vec<_> = servers.iter().map(|(instance, _)| instance.clone()).collect();
            list.update(named);
            for _ in 0..4 {
                assert_eq!(client.answer(number).await.unwrap(), number);
            }
            if number == 10 {
                tokio::task::yield_now().await;
                base = Some(Count::now());
            }
        }
        let base = base.expect("it was counted");
        // Not every one of two servers had a call at either moment: a connection has a task and a
        // socket at the server, and two tasks and a socket at the client.
        let most = Count { tasks: base.tasks + 6, descriptors: base.descriptors + 4 };
        most.is_back_at().await;
        drop(client);
        for (_, server) in servers {
            server.abort();
        }
        begun.is_back_at().await;
    });
}
