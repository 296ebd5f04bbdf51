//! Clients of several services over one set of connections.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rpcx::client::{Breaker, Channel, OneClient};
use rpcx::registry::{Discover, Snapshot};
use rpcx::{Client as _, Error, Executed, FailMode, Refusal, Server};
use tokio::sync::watch;

use super::network::Fault;
use super::world::{Station, WorkClient, World, failure, secs, settle, soon};

/// A second service.
#[rpcx::service]
trait Greet {
    async fn greet(&self, name: String) -> rpcx::Result<String>;
}

struct Greeter;

impl Greet for Greeter {
    async fn greet(&self, name: String) -> rpcx::Result<String> {
        Ok(format!("hello {name}"))
    }
}

impl World {
    /// Serves both.
    async fn serve_both(&self, name: &str) -> Station {
        let mood = Arc::<Mutex<_>>::default();
        let server = self.add_to(Server::new(), name, &mood).add(GreetServer::new(Greeter));
        self.serve_with(name, mood, server).await
    }

    fn one(&self, names: &[&str]) -> OneClient {
        let builder = Channel::builder().connector(self.network.clone());
        let builder = builder.registry(self.list(names)).fail_mode(FailMode::Failfast);
        OneClient::new(builder.breaker(Breaker::consecutive(1, secs(60))))
    }
}

#[tokio::test(start_paused = true)]
async fn two_services_have_one_connection_to_a_server_that_offers_both() {
    let world = World::new();
    let _a = world.serve_both("a").await;
    let one = world.one(&["a"]);
    let work: WorkClient = one.client().await.unwrap();
    let greet: GreetClient = one.client().await.unwrap();
    assert_eq!(work.once(7).await.unwrap(), 7);
    assert_eq!(greet.greet("Ada".to_owned()).await.unwrap(), "hello Ada");
    assert_eq!(work.once(8).await.unwrap(), 8);
    assert_eq!(world.network.dialed(), ["a"]);
    // A client by name calls its own trait's service.
    let named = GreetClient::from_channel(one.channel("Greet").await.unwrap());
    assert_eq!(named.greet("Bob".to_owned()).await.unwrap(), "hello Bob");
    assert_eq!(world.network.dialed(), [""; 0]);
    // The connection is kept as long as anybody has it.
    drop(one);
    drop(work);
    settle().await;
    assert_eq!(greet.greet("Eve".to_owned()).await.unwrap(), "hello Eve");
    assert_eq!(world.network.open("a"), 1);
    drop(named);
    drop(greet);
    world.network.closed("a").await;
}

#[tokio::test(start_paused = true)]
async fn what_is_known_of_a_server_holds_for_all_services() {
    let world = World::new();
    world.network.always(Fault::Refused);
    let one = world.one(&["a"]);
    let work: WorkClient = one.client().await.unwrap();
    let greet: GreetClient = one.client().await.unwrap();
    assert_eq!(failure(work.once(1).await), ("Connect", Executed::No));
    let error = greet.greet("Ada".to_owned()).await.unwrap_err();
    assert!(matches!(error, Error::NotExecuted { reason: Refusal::BreakerOpen(_) }), "{error:?}");
    assert_eq!(world.network.dialed(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn clients_that_come_first_at_the_same_time_share_a_connection() {
    let world = World::new();
    let _a = world.serve_both("a").await;
    let one = Arc::new(world.one(&["a"]));
    let calls = (0..20).map(|id| {
        let one = Arc::clone(&one);
        tokio::spawn(async move {
            let work: WorkClient = one.client().await.unwrap();
            let greet: GreetClient = one.client().await.unwrap();
            greet.greet("Ada".to_owned()).await.unwrap();
            work.once(id).await.unwrap()
        })
    });
    for (call, id) in calls.collect::<Vec<_>>().into_iter().zip(0..) {
        assert_eq!(soon(call).await.unwrap(), id);
    }
    assert_eq!(world.network.dialed(), ["a"]);
}

/// Counts how often it was asked to follow a service.
#[derive(Debug)]
struct Counted(watch::Receiver<Snapshot>, Arc<AtomicUsize>);

impl Discover for Counted {
    fn discover(&self, _: &str) -> watch::Receiver<Snapshot> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.clone()
    }
}

#[tokio::test(start_paused = true)]
async fn clients_that_come_first_at_the_same_time_follow_the_registry_once() {
    let followed = Arc::<AtomicUsize>::default();
    let (page, news) = watch::channel(Snapshot::starting());
    let registry = Counted(news, Arc::clone(&followed));
    let one = Arc::new(OneClient::new(Channel::builder().registry(registry)));
    let client = || {
        let one = Arc::clone(&one);
        tokio::spawn(async move { one.client::<WorkClient>().await.map(drop) })
    };
    let clients: Vec<_> = (0..20).map(|_| client()).collect();
    settle().await;
    // The others do not depend on the one that was the first.
    clients[0].abort();
    settle().await;
    page.send_replace(Snapshot::live([]));
    for client in clients.into_iter().skip(1) {
        soon(client).await.unwrap().unwrap();
    }
    assert_eq!(followed.load(Ordering::Relaxed), 2);
    soon(client()).await.unwrap().unwrap();
    assert_eq!(followed.load(Ordering::Relaxed), 2);
}

/// A service whose selector counts calls, beside one whose selector does not.
#[rpcx::service]
#[rpcx(select = "least_pending")]
trait Wait {
    async fn wait(&self) -> rpcx::Result<String>;
}

/// Gives its own name, or waits for ever.
struct Waiter(&'static str);

impl Wait for Waiter {
    async fn wait(&self) -> rpcx::Result<String> {
        if self.0 == "a" { std::future::pending().await } else { Ok(self.0.to_owned()) }
    }
}

#[tokio::test(start_paused = true)]
async fn each_service_has_its_own_selector_on_shared_servers() {
    let world = World::new();
    let mut servers = Vec::new();
    for name in ["a", "b"] {
        let mood = Arc::<Mutex<_>>::default();
        let server = world.add_to(Server::new(), name, &mood).add(WaitServer::new(Waiter(name)));
        servers.push(world.serve_with(name, mood, server).await);
    }
    let one = world.one(&["a", "b"]);
    let _work: WorkClient = one.client().await.unwrap();
    let wait: WaitClient = one.client().await.unwrap();
    // Sooner or later one goes to `a`, and stays there.
    let calls: Vec<_> = (0..20).map(|_| wait.wait().start()).collect();
    settle().await;
    for _ in 0..10 {
        assert_eq!(wait.wait().timeout(secs(1)).await.unwrap(), "b");
    }
    drop(calls);
}

#[tokio::test]
async fn a_bare_channel_and_a_client_without_a_registry_are_refused() {
    let one = OneClient::new(Channel::builder().without_registry().service("Other"));
    let result = one.client::<Channel>().await;
    assert_eq!(failure(result), ("NoServer", Executed::No));
    let error = one.client::<WorkClient>().await.map(drop).unwrap_err();
    assert!(error.to_string().starts_with("no server: `Work` has no registry"), "{error}");
}
