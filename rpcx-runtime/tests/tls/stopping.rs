//! Servers with TLS and interceptors that are replaced while clients call.

use std::collections::VecDeque;
use std::future::IntoFuture as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rpcx::registry::MultipleServers;
use rpcx::server::interceptor::{
    ConcurrencyLimit, Incoming, Interceptor, Next, Outgoing, Rejection,
};
use rpcx::tls::ClientTls;
use rpcx::{Bytes, FailMode, Server};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::world::{Clerk, DeskClient, Running, SAFETY, TCP, World, soon};

/// Lets those in whom it knows, after a while.
struct Doorman;

impl Interceptor for Doorman {
    async fn call(&self, request: Incoming, next: Next<'_>) -> Result<Outgoing, Rejection> {
        let identity = request.connection().peer_identity();
        if !identity.is_some_and(|identity| identity.is_for(CALLER)) {
            return Err(Rejection::error("who is there?"));
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        next.run(request).await
    }
}

/// A server in which every call waits: for a place, or for the doorman.
async fn serve(world: &World, address: &str) -> Running {
    let limit = ConcurrencyLimit::new().total(4).wait(SAFETY, 1_000);
    let server = Server::new().add(Clerk::service()).interceptor(limit).interceptor(Doorman);
    Running::at(address, server.tls(world.mutual_server()).max_request_bytes(1 << 20)).await
}

/// Calls again and again; the calls may not be made twice.
#[derive(Clone)]
struct Callers {
    servers: Arc<[String]>,
    tls: ClientTls,
    done: Arc<Semaphore>,
    failures: Arc<Mutex<Vec<String>>>,
    over: Arc<AtomicBool>,
}

impl Callers {
    /// Calls on one connection to each server, or opens new ones for each call.
    async fn run(self, opens_new_ones: bool) {
        let mut client = self.connect().await;
        let data = Bytes::from(vec![7; 20_000]);
        while !self.over.load(Ordering::Relaxed) {
            let failed = match soon(client.echo(data.clone()).into_future()).await {
                Ok(same) => (same != data).then(|| "other data".to_owned()),
                Err(error) => Some(format!("{error:?}")),
            };
            self.failures.lock().unwrap().extend(failed);
            self.done.add_permits(1);
            if opens_new_ones {
                client = self.connect().await;
            }
        }
    }

    async fn connect(&self) -> DeskClient {
        let builder = DeskClient::builder().connect_timeout(SAFETY).fail_mode(FailMode::Failover);
        let list = MultipleServers::new(&*self.servers).unwrap();
        let client = builder.tls(self.tls.clone()).registry(list).connect();
        soon(client).await.expect("one of the servers is there")
    }

    /// Waits until more calls are done, and none has failed.
    async fn more(&self, calls: u32) {
        soon(self.done.acquire_many(calls)).await.unwrap().forget();
        let failures = self.failures.lock().unwrap();
        assert!(failures.is_empty(), "{}: {:?}", failures.len(), failures.first());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_fails_while_servers_with_tls_and_interceptors_are_replaced() {
    let world = World::new();
    let servers = [serve(&world, TCP).await, serve(&world, TCP).await];
    let callers = Callers {
        servers: servers.iter().map(|server| server.address.clone()).collect(),
        tls: world.known_client(CALLER),
        done: Arc::new(Semaphore::new(0)),
        failures: Arc::default(),
        over: Arc::default(),
    };
    let mut tasks = JoinSet::new();
    for number in 0..8 {
        tasks.spawn(callers.clone().run(number % 4 == 0));
    }
    let mut served = 0;
    let mut servers = VecDeque::from(servers);
    for _ in 0..4 {
        callers.more(200).await;
        let oldest = servers.pop_front().expect("there are two");
        let address = oldest.address.clone();
        let report = soon(oldest.stop()).await.expect("it ends well");
        assert_eq!((report.cut(), report.cut_connections()), (0, 0), "{report:?}");
        served += report.served();
        servers.push_back(serve(&world, &address).await);
    }
    callers.more(200).await;
    callers.over.store(true, Ordering::Relaxed);
    soon(tasks.join_all()).await;
    callers.more(0).await;
    assert!(served > 0, "servers that stop finish what they have");
}

const CALLER: &str = "caller.internal";
