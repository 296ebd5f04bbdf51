//! The rules.
//!
//! Those that need no more than a registry hold in any [`Place`]; the others kill, edit or refuse, and
//! are for registries that are servers of their own.

use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rpcx::registry::{Load, Reach, Registration, RegistrationState, Registry};
use tokio::time::Instant;

#[cfg(feature = "macros")]
pub(crate) use super::served::calls_go_on_and_programs_start_while_the_registry_is_away;
use super::{Bench, Follower, PrivateServer, Process, Settings, announcement, soon, within};

/// Where servers and clients meet. All registries of one place see the same.
pub(crate) trait Place {
    /// The registry's name in messages.
    fn name(&self) -> &'static str;

    /// Makes a registry as a program does; each is one of its own.
    fn registry(&self) -> Arc<dyn Registry>;

    /// Gives the name of a service that no other test has.
    fn service(&self) -> &str;
}

/// A registry's private server is a place.
pub(crate) struct Private<'a, B>(&'a PrivateServer, PhantomData<B>);

impl<'a, B> Private<'a, B> {
    pub(crate) fn new(server: &'a PrivateServer) -> Self {
        Self(server, PhantomData)
    }
}

impl<B: Bench> Place for Private<'_, B> {
    fn name(&self) -> &'static str {
        B::NAME
    }

    fn registry(&self) -> Arc<dyn Registry> {
        registry::<B>(self.0)
    }

    fn service(&self) -> &'static str {
        "Arith"
    }
}

pub(crate) async fn a_server_is_found_with_what_it_says_of_itself(place: &impl Place) {
    let _one = registered_at(place, ONE).await;
    let mut follower = follower_at(place);
    follower.until_servers(&[ONE]).await;
    let _two = registered_at(place, TWO).await;
    follower.until_servers(&[ONE, TWO]).await;
}

pub(crate) async fn a_server_that_withdraws_is_gone_at_once(place: &impl Place) {
    let registry = place.registry();
    let one = registry.register(place.service(), announcement(ONE));
    let two = registry.register(place.service(), announcement(TWO));
    until_registered(&one).await;
    until_registered(&two).await;
    let mut follower = follower_at(place);
    follower.until_servers(&[ONE, TWO]).await;
    let begun = Instant::now();
    one.withdraw().await;
    follower.until_servers(&[TWO]).await;
    within(place.name(), "withdrawn → gone at a client", begun.elapsed(), AT_ONCE);
}

pub(crate) async fn a_registration_that_is_dropped_is_gone_at_once(place: &impl Place) {
    let one = registered_at(place, ONE).await;
    let mut follower = follower_at(place);
    follower.until_servers(&[ONE]).await;
    drop(one);
    let took = follower.until_servers(&[]).await;
    within(place.name(), "dropped → gone at a client", took, AT_ONCE);
}

pub(crate) async fn a_service_whose_name_begins_the_same_is_another(place: &impl Place) {
    let registry = place.registry();
    let other = registry.register(&format!("{}2", place.service()), announcement(TWO));
    until_registered(&other).await;
    let mut follower = follower_at(place);
    let _one = registered_at(place, ONE).await;
    follower.until("a server", |list| !list.instances().is_empty()).await;
    assert_eq!(follower.servers(), [ONE]);
}

pub(crate) async fn a_server_that_crashes_is_gone_within_the_promise<B: Bench>(
    server: &PrivateServer,
) {
    let _one = registered(&registry::<B>(server), ONE).await;
    let process = Process::register(server, &[TWO]);
    let mut follower = follower::<B>(server);
    follower.until_servers(&[ONE, TWO]).await;
    process.crash();
    let took = follower.until_servers(&[ONE]).await;
    within(B::NAME, "crash → gone at a client", took, B::CRASHED);
}

pub(crate) async fn a_registry_that_restarts_changes_no_list<B: Bench>(server: &PrivateServer) {
    let (one, mut follower) = registered_and_followed::<B>(server).await;
    let list = follower.watch_for("tcp@127.0.0.1:1");
    server.kill();
    let noticed = until_lost(&one).await;
    until_reach(&mut follower, "lost", |reach| matches!(reach, Reach::Lost { .. })).await;
    until_longest_wait(&one).await;
    server.start_again();
    let took = until_registered(&one).await;
    until_reach(&mut follower, "live", |reach| matches!(reach, Reach::Live)).await;
    assert!(list.has_no_gap());
    within(B::NAME, "registry gone → noticed", noticed, B::TTL);
    within(B::NAME, "registry back with its data → registered", took, B::BACK);
}

pub(crate) async fn a_registry_that_lost_its_data_gets_it_back<B: Bench>(server: &PrivateServer) {
    let (one, mut follower) = registered_and_followed::<B>(server).await;
    let list = follower.watch_for("tcp@127.0.0.1:1");
    server.wipe();
    until_lost(&one).await;
    until_longest_wait(&one).await;
    server.start_again();
    let took = until_registered(&one).await;
    until_reach(&mut follower, "live", |reach| matches!(reach, Reach::Live)).await;
    let stored = B::read(server.address(), "/rpcx_test/Arith/tcp@127.0.0.1:1").await;
    assert_eq!(stored.as_deref(), Some("weight=5"));
    // The next change of the list shows that the entry is there, not only held back.
    let two = registered(&registry::<B>(server), TWO).await;
    follower.until_servers(&[ONE, TWO]).await;
    assert!(list.has_no_gap());
    one.withdraw().await;
    follower.until_servers(&[TWO]).await;
    drop(two);
    within(B::NAME, "registry back without its data → registered", took, B::BACK_EMPTY);
}

pub(crate) async fn a_registry_that_hangs_changes_no_list<B: Bench>(server: &PrivateServer) {
    let (one, follower) = registered_and_followed::<B>(server).await;
    let list = follower.watch_for("tcp@127.0.0.1:1");
    server.pause();
    let noticed = until_lost(&one).await;
    server.resume();
    let took = until_registered(&one).await;
    assert!(list.has_no_gap());
    within(B::NAME, "registry hangs → noticed", noticed, B::TTL);
    within(B::NAME, "registry goes on → registered", took, B::BACK);
}

pub(crate) async fn a_registry_that_is_away_at_first_is_waited_for<B: Bench>(
    server: &PrivateServer,
) {
    server.wipe();
    let one = registry::<B>(server).register("Arith", announcement(ONE));
    let mut follower = follower::<B>(server);
    let mut state = one.watch();
    let pending =
        |state: &RegistrationState| matches!(state, RegistrationState::Pending { error: Some(_) });
    soon("pending with an error", state.wait_for(pending)).await.expect("the entry is tended");
    until_reach(&mut follower, "lost", |reach| matches!(reach, Reach::Lost { .. })).await;
    assert_eq!(follower.servers(), [""; 0]);
    server.start_again();
    let took = until_registered(&one).await;
    follower.until_servers(&[ONE]).await;
    within(B::NAME, "registry there for the first time → registered", took, B::BACK);
}

pub(crate) async fn the_next_endpoint_is_tried<B: Bench>(server: &PrivateServer) {
    // Nothing listens at the first: the port is none of the ephemeral range.
    let endpoints = format!("127.0.0.1:9,{}", server.address());
    let registry = || B::registry(&endpoints, Settings::of::<B>());
    let one = registered(&registry(), ONE).await;
    let mut follower = Follower::new(registry(), "Arith");
    follower.until_servers(&[ONE]).await;
    // Also when the connection was lost.
    server.kill();
    until_lost(&one).await;
    server.start_again();
    until_registered(&one).await;
    let _two = registered(&registry(), TWO).await;
    follower.until_servers(&[ONE, TWO]).await;
}

pub(crate) async fn servers_of_several_processes_are_listed<B: Bench>(server: &PrivateServer) {
    let _one = Process::register(server, &[ONE]);
    let two = Process::register(server, &[TWO]);
    let mut follower = follower::<B>(server);
    follower.until_servers(&[ONE, TWO]).await;
    two.crash();
    follower.until_servers(&[ONE]).await;
}

pub(crate) async fn a_server_that_restarts_is_listed_all_the_time<B: Bench>(
    server: &PrivateServer,
) {
    let first = Process::register(server, &["tcp@127.0.0.1:1", "tcp@127.0.0.1:2"]);
    let mut follower = follower::<B>(server);
    follower.until_servers(&["tcp@127.0.0.1:1", "tcp@127.0.0.1:2"]).await;
    let list = follower.watch_for("tcp@127.0.0.1:1");
    first.crash();
    let _second = Process::register(server, &[ONE]);
    // What else the first process had goes with it: that shows that its time is over.
    follower.until_servers(&[ONE]).await;
    assert!(list.has_no_gap());
    assert!(B::read(server.address(), "/rpcx_test/Arith/tcp@127.0.0.1:1").await.is_some());
}

pub(crate) async fn an_operators_edit_survives_updates<B: Bench>(server: &PrivateServer) {
    let registry = often_updated::<B>(server);
    let _one = busy(&registry).await;
    let mut follower = follower::<B>(server);
    follower.until("figures", |list| figure(list).is_some_and(|calls| calls > 1.0)).await;
    B::write(server.address(), "/rpcx_test/Arith/tcp@127.0.0.1:1", b"state=inactive&weight=7")
        .await;
    follower.until("the edit", is_inactive).await;
    for _ in 0..2 {
        let before = figure(&follower.snapshot()).unwrap_or_default();
        let updated = |calls| calls > before;
        follower.until("an update", |list| figure(list).is_some_and(updated)).await;
        assert!(is_inactive(&follower.snapshot()));
        assert_eq!(follower.snapshot().instances()[0].metadata().weight(), Some(7));
    }
}

/// Updates follow each other all the time, so that edits come between one's reading and its writing.
pub(crate) async fn an_operators_edits_survive_updates_at_the_same_time<B: Bench>(
    server: &PrivateServer,
) {
    let update_interval = Duration::from_millis(1);
    let settings = Settings { update_interval, ..Settings::of::<B>() };
    let _one = busy(&B::registry(server.address(), settings)).await;
    let path = "/rpcx_test/Arith/tcp@127.0.0.1:1";
    for number in 0..50 {
        let edit = format!("weight={number}");
        B::write(server.address(), path, edit.as_bytes()).await;
        let updated = async {
            loop {
                let value = B::read(server.address(), path).await.expect("the entry stays");
                assert!(value.split('&').any(|pair| pair == edit), "{edit} is lost: {value}");
                if value.contains("calls=") {
                    return;
                }
            }
        };
        soon("an update after an edit", updated).await;
    }
}

pub(crate) async fn an_operators_edit_survives_a_restart_of_the_registry<B: Bench>(
    server: &PrivateServer,
) {
    let registry = often_updated::<B>(server);
    let one = busy(&registry).await;
    let mut follower = follower::<B>(server);
    follower.until("the server", |list| figure(list).is_some()).await;
    B::write(server.address(), "/rpcx_test/Arith/tcp@127.0.0.1:1", b"state=inactive").await;
    let updated = |list: &_| is_inactive(list) && figure(list).is_some();
    follower.until("an update of what was edited", updated).await;
    server.kill();
    until_lost(&one).await;
    server.start_again();
    until_registered(&one).await;
    let stored = B::read(server.address(), "/rpcx_test/Arith/tcp@127.0.0.1:1").await;
    assert!(stored.as_ref().is_some_and(|value| value.contains("state=inactive")), "{stored:?}");
}

pub(crate) async fn an_entry_that_was_deleted_is_written_again<B: Bench>(server: &PrivateServer) {
    let registry = often_updated::<B>(server);
    let _one = registered(&registry, ONE).await;
    let mut follower = follower::<B>(server);
    follower.until_servers(&[ONE]).await;
    B::delete(server.address(), "/rpcx_test/Arith/tcp@127.0.0.1:1").await;
    follower.until_servers(&[]).await;
    follower.until_servers(&[ONE]).await;
}

pub(crate) async fn without_metrics_an_entry_is_as_announced<B: Bench>(server: &PrivateServer) {
    let settings = Settings { metrics: false, ..Settings::of::<B>() };
    let registry = B::registry(server.address(), settings);
    let one = registry.register("Arith", announcement(ONE).with_load(Load::default));
    until_registered(&one).await;
    let stored = B::read(server.address(), "/rpcx_test/Arith/tcp@127.0.0.1:1").await;
    assert_eq!(stored.as_deref(), Some("weight=5"));
}

/// The table of what Go rpcx 1.9.4 stores.
pub(crate) async fn keys_and_values_are_those_of_go<B: Bench>(server: &PrivateServer) {
    let registry = registry::<B>(server);
    let announcement = announcement("tcp@127.0.0.1:8972?weight=5").with_load(Load::default);
    let one = registry.register("Arith", announcement);
    until_registered(&one).await;
    for (path, value) in [
        ("/rpcx_test", Some("rpcx_path")),
        ("/rpcx_test/Arith", Some("Arith")),
        ("/rpcx_test/Arith/tcp@127.0.0.1:8972", Some("calls=0.00&connections=0.00&weight=5")),
        ("/rpcx_test/Other", None),
    ] {
        assert_eq!(B::read(server.address(), path).await.as_deref(), value, "{path}");
    }
    one.withdraw().await;
    let gone = B::read(server.address(), "/rpcx_test/Arith/tcp@127.0.0.1:8972").await;
    assert_eq!(gone, None);
    let parent = B::read(server.address(), "/rpcx_test/Arith").await;
    assert_eq!(parent.as_deref(), Some("Arith"));
}

pub(crate) async fn what_makes_no_sense_is_passed_over<B: Bench>(server: &PrivateServer) {
    let _one = registered(&registry::<B>(server), ONE).await;
    let mut follower = follower::<B>(server);
    follower.until_servers(&[ONE]).await;
    B::write(server.address(), "/rpcx_test/Arith/nowhere", b"weight=1").await;
    B::write(server.address(), "/rpcx_test/Arith/tcp@127.0.0.1:2", b"\xff;%zz").await;
    follower.until("two servers", |list| list.instances().len() == 2).await;
    let addresses: Vec<_> = follower.snapshot().instances().iter().map(text_of_address).collect();
    assert_eq!(addresses, ["tcp@127.0.0.1:1", "tcp@127.0.0.1:2"]);
}

pub(crate) async fn wrong_settings_are_refused<B: Bench>(server: &PrivateServer) {
    let settings = Settings::of::<B>;
    let short = Settings { session_ttl: B::SHORT, ..settings() };
    assert_eq!(refusal::<B>(server, short, "Arith").await, B::TOO_SHORT);
    let slash = refusal::<B>(server, settings(), "a/b").await;
    assert_eq!(slash, "the service name `a/b` has a `/`");
    assert_eq!(refusal::<B>(server, settings(), "").await, "the service has no name");
    let never = Settings { update_interval: Duration::ZERO, ..settings() };
    assert_eq!(refusal::<B>(server, never, "Arith").await, "update_interval is zero");
    for base_path in ["", "/"] {
        let nameless = Settings { base_path, ..settings() };
        let refused = refusal::<B>(server, nameless.clone(), "Arith").await;
        assert_eq!(refused, "the base path is empty");
        let mut follower = Follower::new(B::registry(server.address(), nameless), "Arith");
        let says_so = |reach: &Reach| matches!(reach, Reach::Lost { error, .. } if **error == *"the base path is empty");
        until_reach(&mut follower, "says that the base path is empty", says_so).await;
    }
}

async fn refusal<B: Bench>(server: &PrivateServer, settings: Settings, service: &str) -> String {
    let registry = B::registry(server.address(), settings);
    let registration = registry.register(service, announcement(ONE));
    let refused = soon("a refusal", registration.registered()).await;
    refused.expect_err("the registry refuses").to_string()
}

fn registry<B: Bench>(server: &PrivateServer) -> Arc<dyn Registry> {
    B::registry(server.address(), Settings::of::<B>())
}

fn often_updated<B: Bench>(server: &PrivateServer) -> Arc<dyn Registry> {
    let update_interval = Duration::from_secs(1);
    B::registry(server.address(), Settings { update_interval, ..Settings::of::<B>() })
}

fn follower<B: Bench>(server: &PrivateServer) -> Follower {
    Follower::new(registry::<B>(server), "Arith")
}

fn follower_at(place: &impl Place) -> Follower {
    Follower::new(place.registry(), place.service())
}

async fn registered_at(place: &impl Place, server: &str) -> Registration {
    let registration = place.registry().register(place.service(), announcement(server));
    until_registered(&registration).await;
    registration
}

async fn registered(registry: &Arc<dyn Registry>, server: &str) -> Registration {
    let registration = registry.register("Arith", announcement(server));
    until_registered(&registration).await;
    registration
}

async fn registered_and_followed<B: Bench>(server: &PrivateServer) -> (Registration, Follower) {
    let one = registered(&registry::<B>(server), ONE).await;
    let mut follower = follower::<B>(server);
    follower.until_servers(&[ONE]).await;
    (one, follower)
}

/// Registers a server whose figures grow with every update.
async fn busy(registry: &Arc<dyn Registry>) -> Registration {
    let calls = AtomicU32::new(0);
    let load = move || {
        let calls = f64::from(calls.fetch_add(1, Ordering::Relaxed));
        Load { calls, ..Load::default() }
    };
    let registration = registry.register("Arith", announcement(ONE).with_load(load));
    until_registered(&registration).await;
    registration
}

/// Waits until an entry is there; gives how long that took.
async fn until_registered(registration: &Registration) -> Duration {
    let begun = Instant::now();
    soon("registered", registration.registered()).await.expect("the registry takes the server");
    begun.elapsed()
}

/// Waits until the loss of an entry is noticed; gives how long that took.
async fn until_lost(registration: &Registration) -> Duration {
    let begun = Instant::now();
    let mut state = registration.watch();
    let lost = |state: &RegistrationState| matches!(state, RegistrationState::Lost { .. });
    soon("lost", state.wait_for(lost)).await.expect("the entry is tended");
    begun.elapsed()
}

/// Waits until an entry that cannot be written is tried as rarely as it ever is: the waits between
/// tries double from 100 ms to 2 s.
async fn until_longest_wait(registration: &Registration) {
    let mut state = registration.watch();
    for _ in 0..6 {
        soon("a try that fails", state.changed()).await.expect("the entry is tended");
        assert!(matches!(*state.borrow_and_update(), RegistrationState::Lost { .. }));
    }
}

async fn until_reach(follower: &mut Follower, what: &str, condition: impl Fn(&Reach) -> bool) {
    follower.until(what, |snapshot| condition(snapshot.reach())).await;
}

/// Gives `calls` of the first server.
fn figure(list: &rpcx::registry::Snapshot) -> Option<f64> {
    list.instances().first()?.metadata().get("calls")?.parse().ok()
}

fn is_inactive(list: &rpcx::registry::Snapshot) -> bool {
    list.instances().first().is_some_and(|server| server.metadata().is_inactive())
}

fn text_of_address(instance: &rpcx::Instance) -> String {
    instance.address().to_string()
}

const ONE: &str = "tcp@127.0.0.1:1?weight=5";
const TWO: &str = "tcp@127.0.0.1:2?group=a&group=b";
const AT_ONCE: Duration = Duration::from_secs(1);
