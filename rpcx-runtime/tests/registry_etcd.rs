//! etcd as a registry, against a real etcd.
#![cfg(all(feature = "macros", feature = "etcd"))]

#[macro_use]
#[path = "support/registry/mod.rs"]
mod registry;

use std::sync::Arc;
use std::time::Duration;

use etcd_client::{Client, ConnectOptions, KeyValue, LeaseStatus};
use rpcx::registry::{Etcd, Reach, Register as _, RegistrationState, Registry, Snapshot};
use tokio::time::Instant;

use registry::{Bench, Follower, Gate, PrivateServer, Settings, announcement, soon, within};

struct EtcdBench;

impl Bench for EtcdBench {
    const NAME: &'static str = "etcd";
    const TTL: Duration = Duration::from_secs(3);
    const CRASHED: Duration = Duration::from_secs(4);
    const BACK: Duration = Duration::from_secs(3);
    const BACK_EMPTY: Duration = Duration::from_secs(3);
    const TOO_SHORT: &'static str = "session_ttl is 1s, etcd allows no less than 3s";

    fn registry(server: &str, settings: Settings) -> Arc<dyn Registry> {
        let etcd = Etcd::new(server.split(','))
            .base_path(settings.base_path)
            .update_interval(settings.update_interval)
            .session_ttl(settings.session_ttl)
            .metrics(settings.metrics);
        Arc::new(etcd)
    }

    async fn read(server: &str, path: &str) -> Option<String> {
        let stored = stored(server, path).await?;
        Some(stored.value_str().expect("the value is text").to_owned())
    }

    async fn write(server: &str, path: &str, value: &[u8]) {
        client(server).await.put(path, value, None).await.expect("etcd takes the value");
    }

    async fn delete(server: &str, path: &str) {
        client(server).await.delete(path, None).await.expect("etcd deletes the key");
    }
}

registry_contract!(EtcdBench);

const ENTRY: &str = "/rpcx_test/Arith/tcp@127.0.0.1:1";
const SERVER: &str = "tcp@127.0.0.1:1?weight=5";

fn start(test: &str) -> Option<PrivateServer> {
    PrivateServer::start::<EtcdBench>(test)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_entry_is_on_the_lease() {
    let Some(server) = start("only_the_entry_is_on_the_lease") else { return };
    let etcd = Etcd::new([server.address()]).base_path("/rpcx_test");
    let one = etcd.register("Arith", announcement(SERVER));
    one.registered().await.unwrap();
    for parent in ["/rpcx_test", "/rpcx_test/Arith"] {
        assert_eq!(stored(server.address(), parent).await.unwrap().lease(), 0, "{parent}");
    }
    let lease = stored(server.address(), ENTRY).await.unwrap().lease();
    let answer = client(server.address()).await.lease_time_to_live(lease, None).await.unwrap();
    assert_eq!(answer.granted_ttl(), 10);

    one.withdraw().await;
    let given_back = async { while leases(server.address()).await.contains(&lease) {} };
    soon("the lease is given back", Box::pin(given_back)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_that_was_edited_by_hand_is_put_back_on_the_lease() {
    let test = "an_entry_that_was_edited_by_hand_is_put_back_on_the_lease";
    let Some(server) = start(test) else { return };
    let etcd = Etcd::new([server.address()]).base_path("/rpcx_test");
    let etcd = etcd.update_interval(Duration::from_secs(1));
    let one = etcd.register("Arith", announcement(SERVER));
    one.registered().await.unwrap();
    let lease = stored(server.address(), ENTRY).await.unwrap().lease();

    // `etcdctl put` takes a key off its lease: it would outlive the process.
    EtcdBench::write(server.address(), ENTRY, b"state=inactive").await;
    assert_eq!(stored(server.address(), ENTRY).await.unwrap().lease(), 0);
    let entry = until_stored(server.address(), |entry| entry.lease() == lease).await;
    assert_eq!(entry.value(), b"state=inactive");
}

/// The contract's rule is about an edit that an update has seen; this one came after the last update.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_latest_edit_survives_a_restart_of_etcd() {
    let Some(server) = start("the_latest_edit_survives_a_restart_of_etcd") else { return };
    let registry = EtcdBench::registry(server.address(), Settings::of::<EtcdBench>());
    let one = registry.register("Arith", announcement(SERVER));
    one.registered().await.unwrap();
    let lease = stored(server.address(), ENTRY).await.unwrap().lease();
    EtcdBench::write(server.address(), ENTRY, b"state=inactive").await;
    server.kill();
    server.start_again();
    let on_another = |entry: &KeyValue| ![0, lease].contains(&entry.lease());
    let entry = until_stored(server.address(), on_another).await;
    assert_eq!(entry.value(), b"state=inactive");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_successor_at_the_same_address_keeps_its_entry() {
    let Some(server) = start("a_successor_at_the_same_address_keeps_its_entry") else { return };
    let registry = || EtcdBench::registry(server.address(), Settings::of::<EtcdBench>());
    let first = registry().register("Arith", announcement(SERVER));
    first.registered().await.unwrap();
    let mut follower = Follower::new(registry(), "Arith");
    follower.until_servers(&[SERVER]).await;
    let list = follower.watch_for("tcp@127.0.0.1:1");

    let second = registry().register("Arith", announcement("tcp@127.0.0.1:1?weight=6"));
    second.registered().await.unwrap();
    first.withdraw().await;
    follower.until_servers(&["tcp@127.0.0.1:1?weight=6"]).await;
    assert_eq!(stored(server.address(), ENTRY).await.unwrap().value(), b"weight=6");
    assert!(list.has_no_gap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_of_one_process_share_a_lease() {
    let Some(server) = start("entries_of_one_process_share_a_lease") else { return };
    let etcd = Etcd::new([server.address()]).base_path("/rpcx_test");
    let one = etcd.register("Arith", announcement(SERVER));
    let two = etcd.clone().register("Other", announcement(SERVER));
    one.registered().await.unwrap();
    two.registered().await.unwrap();
    let lease = stored(server.address(), ENTRY).await.unwrap().lease();
    let other = stored(server.address(), "/rpcx_test/Other/tcp@127.0.0.1:1").await.unwrap();
    assert_eq!(other.lease(), lease);
    assert_eq!(leases(server.address()).await, [lease]);
}

/// etcd forgets old changes. A client that was too slow reads everything again; nothing is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_that_were_compacted_away_are_made_up_for() {
    let Some(server) = start("changes_that_were_compacted_away_are_made_up_for") else { return };
    EtcdBench::write(server.address(), ENTRY, b"color=blue").await;
    let gate = Gate::closing_at(server.address(), "color=blue").await;
    let registry = EtcdBench::registry(gate.address(), Settings::of::<EtcdBench>());
    let mut follower = Follower::new(registry, "Arith");
    follower.until_servers(&["tcp@127.0.0.1:1?color=blue"]).await;

    // The client has its list, and its request for the changes after that is held back.
    let list = follower.watch_for("tcp@127.0.0.1:1");
    let live = follower.always(|list| matches!(list.reach(), Reach::Live));
    let mut etcd = client(server.address()).await;
    etcd.put("/rpcx_test/Arith/tcp@127.0.0.1:2", "", None).await.unwrap();
    let last = etcd.put("unrelated", "", None).await.unwrap();
    etcd.compact(last.header().unwrap().revision(), None).await.unwrap();
    gate.open();
    follower.until_servers(&["tcp@127.0.0.1:1?color=blue", "tcp@127.0.0.1:2"]).await;
    etcd.delete("/rpcx_test/Arith/tcp@127.0.0.1:2", None).await.unwrap();
    follower.until_servers(&["tcp@127.0.0.1:1?color=blue"]).await;
    assert!(list.has_no_gap());
    assert!(live.has_no_gap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_base_path_is_used_as_it_is_given() {
    let Some(server) = start("a_base_path_is_used_as_it_is_given") else { return };
    let at = |path: &str| Etcd::new([server.address()]).base_path(path);
    let bare = at("rpcx_test").register("Arith", announcement(SERVER));
    bare.registered().await.unwrap();
    assert!(stored(server.address(), "rpcx_test/Arith/tcp@127.0.0.1:1").await.is_some());
    assert!(stored(server.address(), ENTRY).await.is_none());
    let trailing = at("/rpcx_test/").register("Arith", announcement(SERVER));
    trailing.registered().await.unwrap();
    assert!(stored(server.address(), ENTRY).await.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_with_authentication_takes_credentials() {
    let Some(server) = start("a_cluster_with_authentication_takes_credentials") else { return };
    let mut admin = client(server.address()).await;
    admin.user_add("root", "secret", None).await.unwrap();
    admin.user_grant_role("root", "root").await.unwrap();
    admin.auth_enable().await.unwrap();

    let etcd = Etcd::new([server.address()]).base_path("/rpcx_test");
    let stranger = etcd.clone().register("Arith", announcement(SERVER));
    assert_eq!(pending(&stranger).await, "etcd: etcdserver: user name is empty");
    let wrong = etcd.clone().credentials("root", "guess");
    let wrong = wrong.register("Arith", announcement(SERVER));
    let error = pending(&wrong).await;
    assert_eq!(error, "etcd: etcdserver: authentication failed, invalid user ID or password");

    let etcd = etcd.credentials("root", "secret");
    let one = etcd.register("Arith", announcement(SERVER));
    soon("registered", one.registered()).await.unwrap();
    let mut follower = Follower::new(Arc::new(etcd), "Arith");
    follower.until_servers(&[SERVER]).await;
    let user = ConnectOptions::new().with_user("root", "secret");
    let mut admin = Client::connect([server.address()], Some(user)).await.unwrap();
    admin.delete(ENTRY, None).await.unwrap();
    follower.until_servers(&[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_etcd_that_is_away_is_named() {
    let Some(server) = start("an_etcd_that_is_away_is_named") else { return };
    server.kill();
    let etcd = Etcd::new([server.address()]).base_path("/rpcx_test");
    let begun = Instant::now();
    let one = etcd.register("Arith", announcement(SERVER));
    let error = pending(&one).await;
    assert!(begun.elapsed() < Duration::from_secs(1), "refused at once, told at once");
    assert_eq!(error, "etcd: tcp connect error: Connection refused (os error 111)");
    let mut follower = Follower::new(Arc::new(etcd), "Arith");
    let same = |reach: &Reach| matches!(reach, Reach::Lost { error: told, .. } if **told == *error);
    follower.until("the same error", |list| same(list.reach())).await;
}

/// Before the entries expire, with the default time to live: a list that shrinks when etcd goes on is
/// then known to be a first answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_notices_an_etcd_that_hangs() {
    let Some(server) = start("a_client_notices_an_etcd_that_hangs") else { return };
    let etcd = Etcd::new([server.address()]).base_path("/rpcx_test");
    let mut follower = Follower::new(Arc::new(etcd), "Arith");
    follower.until("an answer", |list| matches!(list.reach(), Reach::Live)).await;
    server.pause();
    let lost = |list: &Snapshot| matches!(list.reach(), Reach::Lost { .. });
    let took = follower.until("the loss", lost).await;
    server.resume();
    follower.until("an answer", |list| matches!(list.reach(), Reach::Live)).await;
    within("etcd", "etcd hangs → noticed by a client", took, Duration::from_secs(10));
}

/// Waits until a registration tells what went wrong.
async fn pending(registration: &rpcx::registry::Registration) -> String {
    let mut state = registration.watch();
    let told =
        |state: &RegistrationState| matches!(state, RegistrationState::Pending { error: Some(_) });
    match &*soon("an error", state.wait_for(told)).await.expect("the entry is tended") {
        RegistrationState::Pending { error: Some(error) } => error.to_string(),
        other => unreachable!("{other:?} is not what was waited for"),
    }
}

/// Waits until the entry of these tests is as asked for.
async fn until_stored(server: &str, condition: impl Fn(&KeyValue) -> bool) -> KeyValue {
    let mut changes = client(server).await.watch(ENTRY, None).await.expect("etcd watches");
    loop {
        if let Some(entry) = stored(server, ENTRY).await.filter(&condition) {
            return entry;
        }
        soon("a change of the entry", changes.message()).await.expect("etcd goes on");
    }
}

async fn client(server: &str) -> Client {
    Client::connect([server], None).await.expect("etcd is there")
}

async fn stored(server: &str, key: &str) -> Option<KeyValue> {
    client(server).await.get(key, None).await.expect("etcd answers").take_kvs().pop()
}

async fn leases(server: &str) -> Vec<i64> {
    let answer = client(server).await.leases().await.expect("etcd answers");
    answer.leases().iter().map(LeaseStatus::id).collect()
}
