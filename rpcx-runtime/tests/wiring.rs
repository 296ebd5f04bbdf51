//! How services come into registries, and how clients find them there.
#![cfg(feature = "macros")]

mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rpcx::client::Channel;
use rpcx::registry::{
    Announcement, Discover, InProcess, MultipleServers, PeerToPeer, Reach, Register, Registration,
    RegistrationState, Registry, Snapshot,
};
use rpcx::{Address, Client as _, Error, Instance, Result, SelectMode, Server};
use tokio::sync::watch;
use tokio::time::Instant;

use support::{Event, Gate, Probe, Running, TCP, memory_address, soon};

/// Is written down in this process.
#[rpcx::service]
#[rpcx(registry = "inprocess", group = "blue", weight = 5)]
trait Local {
    /// Tells who answers.
    async fn who(&self) -> Result<String>;

    /// Waits until the test lets that name through.
    async fn wait(&self, name: String) -> Result<String>;
}

/// The same, for the test that needs the trait's own name.
#[rpcx::service]
#[rpcx(registry = "inprocess")]
trait Found {
    async fn who(&self) -> Result<String>;
}

/// The same, for a server of two services.
#[rpcx::service]
#[rpcx(registry = "inprocess")]
trait Beside {
    async fn who(&self) -> Result<String>;
}

/// Is written down nowhere, unless the builder says where.
#[rpcx::service]
trait Plain {
    async fn who(&self) -> Result<String>;
}

/// Is at a fixed server, which is not there.
#[rpcx::service]
#[rpcx(registry = "peer2peer", servers = "memory@nobody-is-there")]
trait Fixed {
    async fn who(&self) -> Result<String>;
}

/// Is at two fixed servers.
#[rpcx::service]
#[rpcx(registry = "multiple", servers = ["memory@of-list-1?state=inactive", "memory@of-list-2?weight=3"])]
trait Listed {
    async fn who(&self) -> Result<String>;
}

/// Answers with its name.
struct Named {
    name: &'static str,
    gate: Gate,
}

impl Named {
    fn new(name: &'static str) -> Self {
        Self { name, gate: Probe::new().0 }
    }
}

impl Local for Named {
    async fn who(&self) -> Result<String> {
        Ok(self.name.to_owned())
    }

    async fn wait(&self, name: String) -> Result<String> {
        self.gate.pass(&name).await;
        Ok(name)
    }
}

macro_rules! answers_with_its_name {
    ($($service:ident),+) => {
        $(impl $service for Named {
            async fn who(&self) -> Result<String> {
                Ok(self.name.to_owned())
            }
        })+
    };
}

answers_with_its_name!(Found, Beside, Plain, Fixed, Listed);

fn local(name: &'static str) -> LocalServer<Named> {
    LocalServer::new(Named::new(name))
}

fn plain(name: &'static str) -> PlainServer<Named> {
    PlainServer::new(Named::new(name))
}

/// Gives a name of a service that no other test has.
fn unique(what: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{what}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Gives the entries of a service in this process, each as `tcp@127.0.0.1:1?weight=5`.
fn entries(service: &str) -> Vec<String> {
    let list = InProcess::new().discover(service);
    let list = list.borrow();
    let text = |instance: &Instance| format!("{}?{}", instance.address(), instance.metadata());
    list.instances().iter().map(text).collect()
}

fn servers(channel: &Channel) -> Vec<String> {
    channel.servers().iter().map(ToString::to_string).collect()
}

/// Waits until the channel uses these servers.
async fn until_servers(channel: &Channel, expected: &[&str]) {
    soon(async {
        while servers(channel) != expected {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

async fn local_client(service: &str) -> LocalClient {
    soon(LocalClient::builder().service(service).connect()).await.expect("it has a registry")
}

async fn who(client: &LocalClient) -> Result<String> {
    soon(client.who().into_future()).await
}

/// Why a call finds no server.
async fn why_none(client: &LocalClient) -> String {
    match who(client).await {
        Err(Error::NoServer { why }) => why,
        other => panic!("there is a server: {other:?}"),
    }
}

/// Another registry of this process: its entries are not among those of [`InProcess`].
#[derive(Debug)]
struct Other;

impl Discover for Other {
    fn discover(&self, service: &str) -> watch::Receiver<Snapshot> {
        InProcess::new().discover(&format!("other/{service}"))
    }
}

impl Register for Other {
    fn register(&self, service: &str, announcement: Announcement) -> Registration {
        InProcess::new().register(&format!("other/{service}"), announcement)
    }
}

/// A registry that says what the test lets it say.
#[derive(Debug)]
struct Told(watch::Sender<Snapshot>);

impl Discover for Told {
    fn discover(&self, _: &str) -> watch::Receiver<Snapshot> {
        self.0.subscribe()
    }
}

impl Told {
    fn new() -> Arc<Self> {
        Arc::new(Self(watch::Sender::new(Snapshot::starting())))
    }
}

#[tokio::test]
async fn a_service_is_found_by_its_attribute() {
    let server = Server::new().add(FoundServer::new(Named::new("a")));
    let running = Running::on_tcp(server).await;
    let client = soon(FoundClient::connect()).await.unwrap();
    assert_eq!(soon(client.who().into_future()).await.unwrap(), "a");
    assert_eq!(servers(client.channel()), [running.address()]);
}

#[tokio::test]
async fn a_server_is_written_down_when_serving_begins_and_not_before() {
    let name = unique("begins");
    let bound = Server::new().add_as(&name, local("a")).bind(&memory_address()).await.unwrap();
    let registrations = bound.registrations();
    assert!(entries(&name).is_empty());
    assert!(registrations.list().is_empty());
    let serving = bound.serve();
    assert_eq!(entries(&name).len(), 1);
    let list = registrations.list();
    assert!(
        matches!(list.as_slice(), [(service, RegistrationState::Registered)] if *service == name)
    );
    assert!(registrations.watch(&name).is_some());
    assert!(registrations.watch("another").is_none());
    drop(serving);
    assert!(entries(&name).is_empty(), "a server that is dropped leaves its entry");
}

#[tokio::test]
async fn a_service_stands_in_each_registry_that_the_server_is_given() {
    let name = unique("in-both");
    let server = Server::new().add_as(&name, plain("a")).registry(InProcess::new());
    let bound = server.registry(Other).bind(&memory_address()).await.unwrap();
    let (registrations, address) = (bound.registrations(), bound.local_addr().to_string());
    let serving = bound.serve();
    let services = registrations.list();
    assert_eq!(services.iter().map(|(service, _)| service).collect::<Vec<_>>(), [&name, &name]);
    assert_eq!(registrations.watch_each(&name).len(), 2);
    assert!(registrations.watch_each("another").is_empty());
    let _serving = tokio::spawn(serving);
    for registry in [Arc::new(InProcess::new()) as Arc<dyn Registry>, Arc::new(Other)] {
        let client = PlainClient::builder().service(&name).registry(registry).connect();
        let client = soon(client).await.unwrap();
        assert_eq!(soon(client.who().into_future()).await.unwrap(), "a");
        assert_eq!(servers(client.channel()), [address.as_str()]);
    }
}

#[tokio::test]
async fn the_last_word_on_registries_counts() {
    let name = unique("last-word");
    let server = || Server::new().add_as(&name, plain("a"));
    let nowhere = server().registry(InProcess::new()).without_registry();
    let serving = nowhere.bind(&memory_address()).await.unwrap().serve();
    assert!(entries(&name).is_empty());
    drop(serving);
    let other = server().registry(InProcess::new()).without_registry().registry(Other);
    let serving = other.bind(&memory_address()).await.unwrap().serve();
    assert_eq!((entries(&name).len(), entries(&format!("other/{name}")).len()), (0, 1));
    drop(serving);
    assert!(entries(&format!("other/{name}")).is_empty());
}

#[tokio::test]
async fn calls_that_fail_at_once_keep_nobody_from_finding_a_server() {
    let running = Running::at(&memory_address(), Server::new().add(local("a"))).await;
    let instance = Instance::new(running.address().parse().unwrap());
    let registry = Told::new();
    registry.0.send_replace(Snapshot::live([]));
    let client = LocalClient::builder().registry(Arc::clone(&registry)).connect();
    let client = soon(client).await.unwrap();
    assert!(matches!(who(&client).await, Err(Error::NoServer { .. })));
    registry.0.send_replace(Snapshot::live([instance]));
    // In a runtime of one thread nobody has a turn unless these calls give way.
    let mut failed = 0;
    while let Err(Error::NoServer { .. }) = client.who().await {
        failed += 1;
        assert!(failed < 100_000, "the list never comes");
    }
    assert_eq!(client.who().await.unwrap(), "a");
}

#[tokio::test]
async fn an_entry_is_withdrawn_before_running_calls_end() {
    let name = unique("withdrawn");
    let (gate, mut probe) = Probe::new();
    let service = LocalServer::new(Named { name: "a", gate });
    let running = Running::on_tcp(Server::new().add_as(&name, service)).await;
    let client = local_client(&name).await;
    let call = client.wait("running".to_owned()).start();
    assert_eq!(probe.event().await, Event::started("running"));
    let mut list = InProcess::new().discover(&name);
    let stopped = running.stop();
    soon(list.wait_for(|list| list.instances().is_empty())).await.unwrap();
    assert!(probe.seen().is_empty(), "the call runs");
    // The client takes nothing from that server any more, save what it waits for.
    until_servers(client.channel(), &[]).await;
    assert_eq!(why_none(&client).await, format!("no server of `{name}` is registered"));
    probe.open("running");
    assert_eq!(soon(call).await.unwrap(), "running");
    soon(stopped).await.unwrap();
}

#[tokio::test]
async fn an_aborted_server_is_not_left_in_the_list() {
    let name = unique("aborted");
    let running = Running::in_memory(Server::new().add_as(&name, local("a"))).await;
    assert_eq!(entries(&name).len(), 1);
    running.abort().await;
    assert!(entries(&name).is_empty());
}

#[tokio::test]
async fn two_services_of_one_server_are_both_found() {
    let name = unique("two");
    let server = Server::new()
        .add(BesideServer::new(Named::new("beside")))
        .add_as(&name, local("local"))
        .add(plain("plain"));
    let bound = server.bind(TCP).await.unwrap();
    let registrations = bound.registrations();
    tokio::spawn(bound.serve());
    let beside = soon(BesideClient::connect()).await.unwrap();
    let local = local_client(&name).await;
    assert_eq!(soon(beside.who().into_future()).await.unwrap(), "beside");
    assert_eq!(who(&local).await.unwrap(), "local");
    // The third says nothing about a registry.
    let mut services: Vec<_> =
        registrations.list().into_iter().map(|(service, _)| service).collect();
    services.sort();
    assert_eq!(services, ["Beside".to_owned(), name]);
    assert!(entries("Plain").is_empty());
}

#[tokio::test]
async fn the_order_of_add_and_registry_does_not_matter() {
    let (first, last) = (unique("first"), unique("last"));
    let registry = InProcess::new();
    let before = Server::new().registry(registry).instance_metadata("n", "1");
    let before = Running::in_memory(before.add_as(&first, plain("first"))).await;
    let after = Server::new().add_as(&last, plain("last"));
    let after = Running::in_memory(after.instance_metadata("n", "1").registry(registry)).await;
    assert_eq!(entries(&first), [format!("{}?n=1", before.address())]);
    assert_eq!(entries(&last), [format!("{}?n=1", after.address())]);
    for name in [first, last] {
        let builder = PlainClient::builder().registry(registry).service(&name);
        let client = soon(builder.connect()).await.unwrap();
        let answer = soon(client.who().into_future()).await.unwrap();
        assert!(name.starts_with(&answer));
    }
}

#[tokio::test]
async fn a_server_without_registry_is_written_down_nowhere() {
    let name = unique("nowhere");
    let server = Server::new().add_as(&name, local("a")).without_registry();
    let bound = server.bind(&memory_address()).await.unwrap();
    let (registrations, address) = (bound.registrations(), bound.local_addr().to_string());
    tokio::spawn(bound.serve());
    assert!(entries(&name).is_empty());
    assert!(registrations.list().is_empty());
    // It is there all the same.
    let client = LocalClient::builder().service(&name).connect_to(&address);
    assert_eq!(who(&soon(client).await.unwrap()).await.unwrap(), "a");
}

#[tokio::test]
async fn the_builders_last_word_counts() {
    let (first, last) = (unique("with"), unique("without"));
    let with = Server::new().without_registry().registry(InProcess::new());
    let _with = Running::in_memory(with.add_as(&first, plain("a"))).await;
    let without = Server::new().registry(InProcess::new()).without_registry();
    let _without = Running::in_memory(without.add_as(&last, plain("b"))).await;
    assert_eq!((entries(&first).len(), entries(&last).len()), (1, 0));
}

#[tokio::test]
async fn a_servers_registry_counts_more_than_the_attribute() {
    let name = unique("overridden");
    let _running =
        Running::in_memory(Server::new().registry(Other).add_as(&name, local("a"))).await;
    assert!(entries(&name).is_empty());
    // The attribute's weight and group go along.
    let entries = entries(&format!("other/{name}"));
    assert_eq!(entries.len(), 1);
    assert!(entries[0].ends_with("?group=blue&weight=5"), "{entries:?}");
    assert!(why_none(&local_client(&name).await).await.contains("is registered"));
    let client = LocalClient::builder().service(&name).registry(Other).connect();
    assert_eq!(who(&soon(client).await.unwrap()).await.unwrap(), "a");
}

#[tokio::test]
async fn a_clients_registry_counts_more_than_the_attribute() {
    let name = unique("elsewhere");
    let listed = Running::in_memory(Server::new().add_as(&name, local("listed"))).await;
    let server = Server::new().add_as(&name, local("given")).without_registry();
    let given = Running::in_memory(server).await;
    let registry = PeerToPeer::new(given.address()).unwrap();
    let client = LocalClient::builder().service(&name).registry(registry).connect();
    assert_eq!(who(&soon(client).await.unwrap()).await.unwrap(), "given");
    let client = local_client(&name).await;
    assert_eq!(servers(client.channel()), [listed.address()]);
    let client = LocalClient::builder().service(&name).without_registry().connect();
    assert!(matches!(soon(client).await, Err(Error::NoServer { .. })));
}

#[tokio::test]
async fn a_service_may_be_in_two_registries_by_two_servers() {
    let name = unique("both");
    let _here = Running::in_memory(Server::new().add_as(&name, local("here"))).await;
    let there = Server::new().add_as(&name, local("there")).registry(Other);
    let _there = Running::in_memory(there).await;
    let here = local_client(&name).await;
    let there = LocalClient::builder().service(&name).registry(Other).connect();
    let there = soon(there).await.unwrap();
    for _ in 0..10 {
        assert_eq!(who(&here).await.unwrap(), "here");
        assert_eq!(who(&there).await.unwrap(), "there");
    }
}

#[tokio::test]
async fn a_channel_is_for_one_service_and_may_be_bare() {
    let name = unique("bare");
    let _running = Running::in_memory(Server::new().add_as(&name, local("a"))).await;
    let builder = Channel::builder().service(&name).registry(InProcess::new());
    let channel = soon(builder.connect()).await.unwrap();
    assert_eq!(who(&LocalClient::from_channel(channel)).await.unwrap(), "a");
}

#[tokio::test]
async fn a_service_of_another_name_is_called_by_that_name() {
    let (one, another) = (unique("one"), unique("another"));
    let server = Server::new().add_as(&one, local("one")).add_as(&another, local("another"));
    let running = Running::in_memory(server).await;
    assert_eq!(who(&local_client(&one).await).await.unwrap(), "one");
    assert_eq!(who(&local_client(&another).await).await.unwrap(), "another");
    // The trait's own name is not among the server's.
    let client = soon(LocalClient::connect_to(running.address())).await.unwrap();
    let error = who(&client).await.unwrap_err();
    assert!(matches!(&error, Error::Service(text) if text.contains("Local")), "{error:?}");
}

#[tokio::test]
async fn without_a_registry_the_error_says_what_to_do() {
    let error = soon(PlainClient::connect()).await.err().unwrap();
    assert_eq!(
        error.to_string(),
        "no server: `Plain` has no registry: name one in the trait's `#[rpcx(registry = …)]`, on \
         the builder or in RPCX_REGISTRY; or connect to an address with `connect_to`"
    );
    assert!(matches!(error, Error::NoServer { .. }));
    let error = soon(Channel::connect()).await.err().unwrap();
    assert_eq!(error.to_string(), "no server: the builder names no service");
    let error = soon(Channel::builder().service("Mine").connect()).await.err().unwrap();
    assert!(error.to_string().starts_with("no server: `Mine` has no registry"), "{error}");
}

#[tokio::test]
async fn a_server_that_comes_later_is_called_then() {
    let name = unique("later");
    let client = local_client(&name).await;
    assert_eq!(why_none(&client).await, format!("no server of `{name}` is registered"));
    let running = Running::in_memory(Server::new().add_as(&name, local("a"))).await;
    until_servers(client.channel(), &[running.address()]).await;
    assert_eq!(who(&client).await.unwrap(), "a");
}

#[tokio::test]
async fn servers_of_other_groups_are_not_called() {
    let name = unique("groups");
    let red = Server::new().instance_metadata("group", "red").add_as(&name, local("red"));
    let red = Running::in_memory(red).await;
    let blue = Running::in_memory(Server::new().add_as(&name, local("blue"))).await;
    for (group, address) in [("red", red.address()), ("blue", blue.address())] {
        let client = LocalClient::builder().service(&name).group(group).connect();
        let client = soon(client).await.unwrap();
        assert_eq!(servers(client.channel()), [address]);
        assert_eq!(who(&client).await.unwrap(), group);
    }
    let client = soon(LocalClient::builder().service(&name).group("green").connect()).await;
    let text = format!("none of the servers of `{name}` (2) is active and in the group");
    assert_eq!(why_none(&client.unwrap()).await, text);
    // Without a group all will do.
    assert_eq!(servers(local_client(&name).await.channel()).len(), 2);
}

#[tokio::test]
async fn inactive_servers_are_not_called() {
    let name = unique("inactive");
    let server = || Server::new().instance_metadata("state", "inactive");
    let _first = Running::in_memory(server().add_as(&name, local("first"))).await;
    let _second = Running::in_memory(server().add_as(&name, local("second"))).await;
    let client = local_client(&name).await;
    let text = format!("none of the servers of `{name}` (2) is active and in the group");
    assert_eq!(why_none(&client).await, text);
    let active = Running::in_memory(Server::new().add_as(&name, local("active"))).await;
    until_servers(client.channel(), &[active.address()]).await;
    assert_eq!(who(&client).await.unwrap(), "active");
}

#[tokio::test]
async fn an_entry_says_what_attribute_and_builder_say() {
    let name = unique("says");
    let plain_name = unique("says-more");
    let server = Server::new()
        .instance_metadata("weight", "7")
        .instance_metadata("latitude", "47.5")
        .add_as(&name, local("a"))
        .add_as(&plain_name, plain("b"))
        .registry(InProcess::new());
    let running = Running::in_memory(server).await;
    // Figures have no place where nobody writes them anew.
    let address = running.address();
    assert_eq!(entries(&name), [format!("{address}?group=blue&latitude=47.5&weight=7")]);
    assert_eq!(entries(&plain_name), [format!("{address}?latitude=47.5&weight=7")]);
}

#[tokio::test]
async fn others_are_told_the_service_address() {
    let name = unique("told");
    let outside: Address = "tcp@rpc.example:8972".parse().unwrap();
    let server = Server::new().service_address(outside).add_as(&name, local("a"));
    let _running = Running::on_tcp(server).await;
    assert_eq!(entries(&name), ["tcp@rpc.example:8972?group=blue&weight=5"]);
}

#[tokio::test]
async fn a_server_at_all_interfaces_is_written_down_with_one_of_them() {
    let name = unique("all-interfaces");
    let running = Running::at("tcp@0.0.0.0:0", Server::new().add_as(&name, local("a"))).await;
    let listening: Address = running.address().parse().unwrap();
    let listening: SocketAddr = listening.target().parse().unwrap();
    assert!(listening.ip().is_unspecified());
    let client = local_client(&name).await;
    let [address] = client.channel().servers().try_into().unwrap();
    let told: SocketAddr = Address::target(&address).parse().unwrap();
    assert!(!told.ip().is_unspecified(), "{told}");
    assert_eq!(told.port(), listening.port());
    assert_eq!(who(&client).await.unwrap(), "a");
}

#[tokio::test]
async fn a_fixed_server_that_is_not_there_is_named() {
    let client = soon(FixedClient::connect()).await.unwrap();
    let error = soon(client.who().retries(0).into_future()).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot connect to memory@nobody-is-there");
    assert!(matches!(error, Error::Connect { .. }));
    // A port that was free a moment ago.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("tcp@{}", listener.local_addr().unwrap());
    drop(listener);
    let registry = PeerToPeer::new(&address).unwrap();
    let client = soon(FixedClient::builder().registry(registry).connect()).await.unwrap();
    let error = soon(client.who().retries(0).into_future()).await.unwrap_err();
    assert!(
        matches!(&error, Error::Connect { address: at, .. } if at.to_string() == address),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_fixed_server_may_come_later() {
    let address = memory_address();
    let registry = PeerToPeer::new(&address).unwrap();
    let client = soon(FixedClient::builder().registry(registry).connect()).await.unwrap();
    assert!(soon(client.who().retries(0).into_future()).await.is_err());
    let server = Server::new().add(FixedServer::new(Named::new("late")));
    let _running = Running::at(&address, server).await;
    assert_eq!(soon(client.who().into_future()).await.unwrap(), "late");
}

#[tokio::test]
async fn a_list_in_the_attribute_has_metadata() {
    let inactive = Server::new().add(ListedServer::new(Named::new("inactive")));
    let inactive = inactive.bind("memory@of-list-1").await.unwrap();
    let registrations = inactive.registrations();
    tokio::spawn(inactive.serve());
    let active = Server::new().add(ListedServer::new(Named::new("active")));
    let _active = Running::at("memory@of-list-2", active).await;
    // Nothing is to be written, so it is as good as written.
    let state = registrations.watch("Listed").expect("it has a registry");
    assert!(matches!(*state.borrow(), RegistrationState::Registered));
    let client = soon(ListedClient::connect()).await.unwrap();
    for _ in 0..10 {
        assert_eq!(soon(client.who().into_future()).await.unwrap(), "active");
    }
}

/// Three servers of `Local`, called `a`, `b`, and `c`; nobody wrote them down.
async fn three() -> (Vec<Running>, MultipleServers) {
    let mut running = Vec::new();
    for name in ["a", "b", "c"] {
        running.push(Running::in_memory(Server::new().without_registry().add(local(name))).await);
    }
    let list = MultipleServers::new(running.iter().map(Running::address)).unwrap();
    (running, list)
}

#[tokio::test]
async fn round_robin_takes_one_after_the_other() {
    let (_running, list) = three().await;
    let builder = LocalClient::builder().registry(list).select(SelectMode::RoundRobin);
    let client = soon(builder.connect()).await.unwrap();
    let another = LocalClient::from_channel(client.channel().clone());
    let mut turns = String::new();
    for _ in 0..6 {
        turns += &who(&client).await.unwrap();
        // Clients of one channel have one turn.
        turns += &who(&another).await.unwrap();
    }
    assert_eq!(turns.len(), 12);
    assert!("abcabcabcabcabc".contains(&turns), "{turns}");
}

#[tokio::test]
async fn random_choice_reaches_all() {
    let (_running, list) = three().await;
    let client = soon(LocalClient::builder().registry(list).connect()).await.unwrap();
    let mut counts = [0; 3];
    for _ in 0..300 {
        match who(&client).await.unwrap().as_str() {
            "a" => counts[0] += 1,
            "b" => counts[1] += 1,
            _ => counts[2] += 1,
        }
    }
    // Six standard deviations: one of 100 million runs is wrong.
    assert!(counts.iter().all(|count| (51..150).contains(count)), "{counts:?}");
}

#[tokio::test]
async fn clients_follow_a_list_that_the_program_replaces() {
    let (running, _) = three().await;
    let [a, b, c] = [0, 1, 2].map(|at| running[at].address());
    let only = |address: &str| [Instance::new(address.parse().unwrap())];
    let list = MultipleServers::new([a]).unwrap();
    let client = soon(LocalClient::builder().registry(list.clone()).connect()).await.unwrap();
    assert_eq!(who(&client).await.unwrap(), "a");
    list.update(only(b));
    until_servers(client.channel(), &[b]).await;
    assert_eq!(who(&client).await.unwrap(), "b");
    // The last of several counts.
    list.update(only(a));
    list.update(only(b));
    list.update(only(c));
    until_servers(client.channel(), &[c]).await;
    for _ in 0..5 {
        assert_eq!(who(&client).await.unwrap(), "c");
    }
    list.update([]);
    until_servers(client.channel(), &[]).await;
    assert_eq!(why_none(&client).await, "no server of `Local` is registered");
    list.update(only(a));
    until_servers(client.channel(), &[a]).await;
    assert_eq!(who(&client).await.unwrap(), "a");
}

#[tokio::test]
async fn groups_and_states_of_a_list_count() {
    let (running, _) = three().await;
    let [a, b, c] = [0, 1, 2].map(|at| running[at].address());
    let list = MultipleServers::new([
        format!("{a}?group=red&group=blue"),
        format!("{b}?group=blue&state=inactive"),
        format!("{c}?weight=9"),
    ]);
    let list = list.unwrap();
    let builder = || LocalClient::builder().registry(list.clone());
    let all = soon(builder().connect()).await.unwrap();
    assert_eq!(servers(all.channel()), [a, c]);
    for group in ["red", "blue"] {
        let client = soon(builder().group(group).connect()).await.unwrap();
        assert_eq!(servers(client.channel()), [a]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_is_silent_is_waited_for_a_second() {
    let registry = Told::new();
    let begun = Instant::now();
    let builder = LocalClient::builder().registry(Arc::clone(&registry));
    let client = soon(builder.connect()).await.unwrap();
    // Timers count in milliseconds.
    let waited = begun.elapsed();
    assert!((1000..1010).contains(&waited.as_millis()), "{waited:?}");
    assert_eq!(why_none(&client).await, "the registry has not answered yet");
    let patient = LocalClient::builder().registry(registry);
    let patient = patient.connect_timeout(Duration::from_secs(5)).connect();
    let begun = Instant::now();
    soon(patient).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_will_say_nothing_is_not_waited_for() {
    /// Its channel has no other end.
    #[derive(Debug)]
    struct Mute;

    impl Discover for Mute {
        fn discover(&self, _: &str) -> watch::Receiver<Snapshot> {
            watch::channel(Snapshot::starting()).1
        }
    }

    let begun = Instant::now();
    let client = soon(LocalClient::builder().registry(Mute).connect()).await.unwrap();
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert_eq!(why_none(&client).await, "the registry has not answered yet");
}

#[tokio::test(start_paused = true)]
async fn what_a_registry_names_first_is_there_when_connecting_ends() {
    let running = Running::in_memory(Server::new().without_registry().add(local("a"))).await;
    let registry = Told::new();
    let builder = LocalClient::builder().registry(Arc::clone(&registry));
    let connecting = tokio::spawn(builder.connect());
    while registry.0.receiver_count() == 0 {
        tokio::task::yield_now().await;
    }
    let begun = Instant::now();
    let instance = Instance::new(running.address().parse().unwrap());
    registry.0.send_replace(Snapshot::live([instance]));
    let client = soon(connecting).await.unwrap().unwrap();
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert!(matches!(registry.0.borrow().reach(), Reach::Live));
    assert_eq!(who(&client).await.unwrap(), "a");
}
