//! ZooKeeper as a registry, against a real ZooKeeper.
#![cfg(all(feature = "macros", feature = "zookeeper"))]

#[macro_use]
#[path = "support/registry/mod.rs"]
mod registry;

use std::sync::Arc;
use std::time::Duration;

use rpcx::registry::{
    Reach, Register as _, Registration, RegistrationState, Registry, Snapshot, ZooKeeper,
};
use zookeeper_client::{
    Acl, Acls, AddWatchMode, AuthId, Client, CreateMode, CreateOptions, Error, Permission,
    PersistentWatcher, Stat,
};

use registry::{Bench, Follower, PrivateServer, Settings, announcement, soon, within};

struct ZooKeeperBench;

impl Bench for ZooKeeperBench {
    const NAME: &'static str = "zookeeper";
    const TTL: Duration = Duration::from_secs(3);
    // The session, a tick of 500 ms, and 1 s.
    const CRASHED: Duration = Duration::from_millis(4500);
    const BACK: Duration = Duration::from_secs(3);
    const BACK_EMPTY: Duration = Duration::from_secs(3);
    const SHORT: Duration = Duration::from_millis(500);
    const TOO_SHORT: &'static str = "session_ttl is 500ms, this ZooKeeper allows no less than 1s";

    fn registry(server: &str, settings: Settings) -> Arc<dyn Registry> {
        Arc::new(zookeeper(server, &settings))
    }

    async fn read(server: &str, path: &str) -> Option<String> {
        let (data, _) = node(server, path).await?;
        Some(String::from_utf8(data).expect("the data is text"))
    }

    async fn write(server: &str, path: &str, value: &[u8]) {
        let client = client(server).await;
        match client.set_data(path, value, None).await {
            Err(Error::NoNode) => drop(client.create(path, value, &PERSISTENT).await),
            result => drop(result.expect("ZooKeeper takes the data")),
        }
    }

    async fn delete(server: &str, path: &str) {
        client(server).await.delete(path, None).await.expect("ZooKeeper deletes the node");
    }
}

registry_contract!(ZooKeeperBench);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_are_made_as_go_makes_them() {
    let Some(server) = start("nodes_are_made_as_go_makes_them") else { return };
    let settings = Settings { base_path: "company/rpcx_test/", ..Settings::of::<ZooKeeperBench>() };
    let _one = registered(&zookeeper(server.address(), &settings), ONE).await;
    for (path, data, is_ephemeral) in [
        ("/company", "", false),
        ("/company/rpcx_test", "rpcx_path", false),
        ("/company/rpcx_test/Arith", "Arith", false),
        ("/company/rpcx_test/Arith/tcp@127.0.0.1:1", "weight=5", true),
    ] {
        let (found, stat) = node(server.address(), path).await.expect(path);
        assert_eq!(String::from_utf8(found).as_deref(), Ok(data), "{path}");
        assert_eq!(stat.ephemeral_owner != 0, is_ephemeral, "{path}");
        let (acl, _) = client(server.address()).await.get_acl(path).await.expect(path);
        assert_eq!(acl, [Acl::new(Permission::ALL, AuthId::anyone())], "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_is_longer_than_allowed_is_refused_and_lists_are_not() {
    let test = "a_session_that_is_longer_than_allowed_is_refused_and_lists_are_not";
    let Some(server) = start(test) else { return };
    let _one = registered(&usual(&server), ONE).await;
    let minute = Duration::from_secs(60);
    let settings = Settings { session_ttl: minute, ..Settings::of::<ZooKeeperBench>() };
    let long = zookeeper(server.address(), &settings);
    let mut follower = Follower::new(Arc::new(long.clone()), "Arith");
    follower.until_servers(&[ONE]).await;
    assert_eq!(
        refusal(&long.register("Arith", announcement(TWO))).await,
        "session_ttl is 60s, this ZooKeeper allows no more than 10s",
    );
    assert!(matches!(follower.snapshot().reach(), Reach::Live));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_nobody_asked_for_takes_what_is_granted() {
    let test = "a_session_that_nobody_asked_for_takes_what_is_granted";
    let Some(server) = start(test) else { return };
    // Twice that is less than the 2 ticks that ZooKeeper grants.
    let often = Duration::from_millis(100);
    let zookeeper = ZooKeeper::new([server.address()]).base_path("/rpcx_test");
    let _one = registered(&zookeeper.update_interval(often), ONE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_deleted_is_back_before_the_next_update() {
    let test = "a_node_that_was_deleted_is_back_before_the_next_update";
    let Some(server) = start(test) else { return };
    let _one = registered(&usual(&server), ONE).await;
    let mut follower = Follower::new(Arc::new(usual(&server)), "Arith");
    follower.until_servers(&[ONE]).await;
    ZooKeeperBench::delete(server.address(), NODE).await;
    follower.until_servers(&[]).await;
    let took = follower.until_servers(&[ONE]).await;
    within("zookeeper", "deleted → written again", took, ZooKeeperBench::TTL / 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_made_anew_hangs_on_the_session_again() {
    let test = "a_node_that_was_made_anew_hangs_on_the_session_again";
    let Some(server) = start(test) else { return };
    let update_interval = Duration::from_millis(200);
    let settings = Settings { update_interval, ..Settings::of::<ZooKeeperBench>() };
    let zookeeper = zookeeper(server.address(), &settings);
    let one = registered(&zookeeper, ONE).await;
    let mut follower = Follower::new(Arc::new(usual(&server)), "Arith");
    let list = follower.measure();
    follower.until_servers(&[ONE]).await;
    let client = client(server.address()).await;
    let mut writer = client.new_multi_writer();
    writer.add_delete(NODE, None).expect("the path is one");
    writer.add_create(NODE, b"state=inactive", &PERSISTENT).expect("the path is one");
    writer.commit().await.expect("ZooKeeper takes the node");
    let mut watch = Watched::new(&client).await;
    watch.until(|stat| stat.ephemeral_owner != 0).await;
    assert_eq!(
        ZooKeeperBench::read(server.address(), NODE).await.as_deref(),
        Some("state=inactive")
    );
    drop(list);
    one.withdraw().await;
    follower.until_servers(&[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_the_next_process_has_taken_over_is_left_to_it() {
    let test = "a_node_that_the_next_process_has_taken_over_is_left_to_it";
    let Some(server) = start(test) else { return };
    let old = registered(&usual(&server), ONE).await;
    let mut follower = Follower::new(Arc::new(usual(&server)), "Arith");
    follower.until_servers(&[ONE]).await;
    let list = follower.measure();
    let _new = registered(&usual(&server), "tcp@127.0.0.1:1?weight=9").await;
    follower.until_servers(&["tcp@127.0.0.1:1?weight=9"]).await;
    old.withdraw().await;
    let _two = registered(&usual(&server), TWO).await;
    follower.until_servers(&["tcp@127.0.0.1:1?weight=9", TWO]).await;
    assert_eq!(list.length(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quick_restart_of_zookeeper_changes_no_list() {
    let Some(server) = start("a_quick_restart_of_zookeeper_changes_no_list") else { return };
    let one = registered(&usual(&server), ONE).await;
    let mut follower = Follower::new(Arc::new(usual(&server)), "Arith");
    follower.until_servers(&[ONE]).await;
    let list = follower.measure();
    server.kill();
    server.start_again();
    let begun = tokio::time::Instant::now();
    let _two = registered(&usual(&server), TWO).await;
    follower.until_servers(&[ONE, TWO]).await;
    within("zookeeper", "quick restart → lists current", begun.elapsed(), ZooKeeperBench::BACK);
    // Whatever became of the old session: its time passes, and the entry is there.
    let crashed = registry::Process::register(&server, &["tcp@127.0.0.1:3"]);
    follower.until_servers(&[ONE, TWO, "tcp@127.0.0.1:3"]).await;
    crashed.crash();
    follower.until_servers(&[ONE, TWO]).await;
    assert_eq!(list.length(), 1);
    one.registered().await.expect("ZooKeeper takes the server");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_zookeeper_that_hangs_for_longer_than_the_session_changes_no_list() {
    let test = "a_zookeeper_that_hangs_for_longer_than_the_session_changes_no_list";
    let Some(server) = start(test) else { return };
    let _one = registered(&usual(&server), ONE).await;
    let mut follower = Follower::new(Arc::new(usual(&server)), "Arith");
    follower.until_servers(&[ONE]).await;
    let list = follower.measure();
    server.pause();
    // How long it hangs is what this is about: all sessions are over when it goes on.
    tokio::time::sleep(ZooKeeperBench::TTL * 2).await;
    server.resume();
    let _two = registered(&usual(&server), TWO).await;
    follower.until_servers(&[ONE, TWO]).await;
    let crashed = registry::Process::register(&server, &["tcp@127.0.0.1:3"]);
    follower.until_servers(&[ONE, TWO, "tcp@127.0.0.1:3"]).await;
    crashed.crash();
    follower.until_servers(&[ONE, TWO]).await;
    assert_eq!(list.length(), 1);
}

/// With Go's session time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_zookeeper_that_lost_its_data_gets_it_back_with_the_default_session() {
    let test = "a_zookeeper_that_lost_its_data_gets_it_back_with_the_default_session";
    let Some(server) = start(test) else { return };
    let default = || ZooKeeper::new([server.address()]).base_path("/rpcx_test");
    let _one = registered(&default(), ONE).await;
    let mut follower = Follower::new(Arc::new(default()), "Arith");
    follower.until_servers(&[ONE]).await;
    let list = follower.measure();
    server.wipe();
    server.start_again();
    let begun = tokio::time::Instant::now();
    let client = client(server.address()).await;
    Watched::new(&client).await.until(|stat| stat.ephemeral_owner != 0).await;
    within(
        "zookeeper",
        "emptied, session 10 s → written",
        begun.elapsed(),
        ZooKeeperBench::BACK_EMPTY,
    );
    let _two = registered(&default(), TWO).await;
    follower.until_servers(&[ONE, TWO]).await;
    assert_eq!(list.length(), 1);
}

/// With Go's session time, and an absence in which the client's own tries to reconnect get rare.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_zookeeper_that_was_away_for_long_has_the_entry_soon_with_the_default_session() {
    let test = "a_zookeeper_that_was_away_for_long_has_the_entry_soon_with_the_default_session";
    let Some(server) = start(test) else { return };
    let default = || ZooKeeper::new([server.address()]).base_path("/rpcx_test");
    let one = registered(&default(), ONE).await;
    let mut follower = Follower::new(Arc::new(default()), "Arith");
    follower.until_servers(&[ONE]).await;
    let list = follower.measure();
    server.kill();
    until_lost(&one).await;
    tokio::time::sleep(Duration::from_secs(8)).await;
    server.start_again();
    let begun = tokio::time::Instant::now();
    soon("registered", one.registered()).await.expect("ZooKeeper takes the server");
    let took = begun.elapsed();
    within(
        "zookeeper",
        "back with its data, session 10 s → registered",
        took,
        ZooKeeperBench::BACK,
    );
    let live = |snapshot: &Snapshot| matches!(snapshot.reach(), Reach::Live);
    follower.until("live", live).await;
    let took = begun.elapsed();
    within("zookeeper", "back with its data, session 10 s → followed", took, ZooKeeperBench::BACK);
    assert_eq!(list.length(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_that_no_update_has_seen_survives_a_new_session() {
    let test = "an_edit_that_no_update_has_seen_survives_a_new_session";
    let Some(server) = start(test) else { return };
    let one = registered(&usual(&server), ONE).await;
    let (_, before) = node(server.address(), NODE).await.expect("the entry is there");
    ZooKeeperBench::write(server.address(), NODE, b"state=inactive").await;
    server.kill();
    until_lost(&one).await;
    server.start_again();
    soon("registered", one.registered()).await.expect("ZooKeeper takes the server");
    let (data, after) = node(server.address(), NODE).await.expect("the entry is there");
    assert_eq!(String::from_utf8(data).as_deref(), Ok("state=inactive"));
    assert_ne!(after.ephemeral_owner, before.ephemeral_owner);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unix_address_is_refused() {
    let Some(server) = start("a_unix_address_is_refused") else { return };
    let registration = usual(&server).register("Arith", announcement("unix@/run/a.sock"));
    assert_eq!(
        refusal(&registration).await,
        "`unix@/run/a.sock` cannot be a node of ZooKeeper: it has a `/`",
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_are_made_with_credentials_are_for_others_to_read() {
    let test = "nodes_that_are_made_with_credentials_are_for_others_to_read";
    let Some(server) = start(test) else { return };
    let ada = || usual(&server).credentials("ada", "secret");
    let _one = registered(&ada(), ONE).await;
    for path in ["/rpcx_test", "/rpcx_test/Arith", NODE] {
        assert_protected(server.address(), path).await;
    }
    let mut follower = Follower::new(Arc::new(usual(&server)), "Arith");
    follower.until_servers(&[ONE]).await;
    let change = client(server.address()).await.set_data(NODE, b"state=inactive", None).await;
    assert!(matches!(change, Err(Error::NoAuth)), "{change:?}");

    let stranger = usual(&server).register("Arith", announcement(TWO));
    let mut state = stranger.watch();
    let fails =
        |state: &RegistrationState| matches!(state, RegistrationState::Pending { error: Some(_) });
    let state = soon("a problem", state.wait_for(fails)).await.expect("the entry is tended");
    let problem = "Pending { error: Some(\"/rpcx_test/Arith/tcp@127.0.0.1:2: \
                   ZooKeeper does not allow that with these credentials, or without any\") }";
    assert_eq!(format!("{:?}", *state), problem);
    drop(state);

    let _two = registered(&ada(), TWO).await;
    follower.until_servers(&[ONE, TWO]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_go_for_later_sessions_too() {
    let Some(server) = start("credentials_go_for_later_sessions_too") else { return };
    let one = registered(&usual(&server).credentials("ada", "secret"), ONE).await;
    let (_, before) = node(server.address(), NODE).await.expect("the entry is there");
    server.kill();
    until_lost(&one).await;
    server.start_again();
    soon("registered", one.registered()).await.expect("ZooKeeper takes the server");
    let (_, after) = node(server.address(), NODE).await.expect("the entry is there");
    assert_ne!(after.ephemeral_owner, before.ephemeral_owner);
    assert_protected(server.address(), NODE).await;
    one.withdraw().await;
    assert!(node(server.address(), NODE).await.is_none());
}

async fn assert_protected(server: &str, path: &str) {
    let (acl, _) = client(server).await.get_acl(path).await.expect(path);
    let [own, others] = acl.as_slice() else { panic!("{path}: {acl:?}") };
    assert_eq!((own.permission(), own.scheme()), (Permission::ALL, "digest"), "{path}");
    // After the colon there is a hash of both.
    assert!(own.id().starts_with("ada:") && !own.id().contains("secret"), "{path}: {own:?}");
    assert_eq!(*others, Acl::new(Permission::READ, AuthId::anyone()), "{path}");
}

fn start(test: &str) -> Option<PrivateServer> {
    PrivateServer::start::<ZooKeeperBench>(test)
}

/// Makes a registry with what all tests have.
fn usual(server: &PrivateServer) -> ZooKeeper {
    zookeeper(server.address(), &Settings::of::<ZooKeeperBench>())
}

async fn registered(zookeeper: &ZooKeeper, server: &str) -> Registration {
    let registration = zookeeper.register("Arith", announcement(server));
    soon("registered", registration.registered()).await.expect("ZooKeeper takes the server");
    registration
}

async fn until_lost(registration: &Registration) {
    let mut state = registration.watch();
    let is_lost = |state: &RegistrationState| matches!(state, RegistrationState::Lost { .. });
    soon("lost", state.wait_for(is_lost)).await.expect("the entry is tended");
}

async fn refusal(registration: &Registration) -> String {
    let refused = soon("a refusal", registration.registered()).await;
    refused.expect_err("ZooKeeper refuses").to_string()
}

/// The first server's node, as an operator sees it.
struct Watched<'a> {
    client: &'a Client,
    watcher: PersistentWatcher,
}

impl<'a> Watched<'a> {
    async fn new(client: &'a Client) -> Self {
        let watcher = client.watch(NODE, AddWatchMode::Persistent).await;
        Self { client, watcher: watcher.expect("ZooKeeper lets nodes be watched") }
    }

    async fn until(&mut self, condition: impl Fn(&Stat) -> bool) {
        let event = async {
            loop {
                let stat = self.client.check_stat(NODE).await.expect("ZooKeeper answers");
                if stat.as_ref().is_some_and(&condition) {
                    break;
                }
                self.watcher.changed().await;
            }
        };
        soon("a change of the node", event).await;
    }
}

fn zookeeper(server: &str, settings: &Settings) -> ZooKeeper {
    ZooKeeper::new(server.split(','))
        .base_path(settings.base_path)
        .update_interval(settings.update_interval)
        .session_ttl(settings.session_ttl)
        .metrics(settings.metrics)
}

async fn client(server: &str) -> Client {
    Client::connect(server).await.expect("ZooKeeper is there")
}

async fn node(server: &str, path: &str) -> Option<(Vec<u8>, Stat)> {
    match client(server).await.get_data(path).await {
        Err(Error::NoNode) => None,
        node => Some(node.expect("ZooKeeper answers")),
    }
}

const PERSISTENT: CreateOptions<'static> = CreateMode::Persistent.with_acls(Acls::anyone_all());
const NODE: &str = "/rpcx_test/Arith/tcp@127.0.0.1:1";
const ONE: &str = "tcp@127.0.0.1:1?weight=5";
const TWO: &str = "tcp@127.0.0.1:2?group=a&group=b";
