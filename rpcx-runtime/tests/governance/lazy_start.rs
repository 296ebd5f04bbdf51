//! Clients that start before any server, and what calls say when there is none.

use rpcx::client::ClientBuilder;
use rpcx::registry::{Discover, Snapshot};
use rpcx::{Error, Executed, Instance, Result};
use tokio::sync::watch;
use tokio::time::{Instant, advance};

use super::network::Fault;
use super::world::{Plain, WorkClient, World, connect, failure, ms, secs, settle, soon};

/// A registry that says what the test says.
#[derive(Debug)]
struct Page(watch::Receiver<Snapshot>);

impl Discover for Page {
    fn discover(&self, _: &str) -> watch::Receiver<Snapshot> {
        self.0.clone()
    }
}

fn page(first: Snapshot) -> (watch::Sender<Snapshot>, Page) {
    let (sender, receiver) = watch::channel(first);
    (sender, Page(receiver))
}

fn none() -> Vec<Instance> {
    Vec::new()
}

#[track_caller]
fn why<T: std::fmt::Debug>(result: Result<T>) -> String {
    match result {
        Err(error @ Error::NoServer { .. }) => {
            assert_eq!(error.executed(), Executed::No);
            let Error::NoServer { why } = error else { unreachable!() };
            why
        }
        other => panic!("{other:?}"),
    }
}

/// The builder, with a future of its own for each call or without.
fn waiting(world: &World, wrapped: bool) -> ClientBuilder<WorkClient> {
    let builder = world.builder(&[]).wait_for_server(secs(10));
    if wrapped { builder.interceptor(Plain) } else { builder }
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_for_the_first_server_if_the_builder_says_so() {
    for wrapped in [false, true] {
        let world = World::new();
        let _a = world.serve("a").await;
        let list = world.list(&[]);
        let client = connect(waiting(&world, wrapped).registry(list.clone())).await;
        let begun = Instant::now();
        let calls: Vec<_> = (0..10).map(|id| client.once(id).start()).collect();
        tokio::time::sleep(secs(3)).await;
        // One that may not be called is none.
        world.update(&list, &["b?state=inactive"]);
        tokio::time::sleep(secs(3)).await;
        world.update(&list, &["a"]);
        for (call, id) in calls.into_iter().zip(0..) {
            assert_eq!(soon(call).await.unwrap(), id);
        }
        assert_eq!(begun.elapsed().as_secs(), 6);
    }
}

#[tokio::test(start_paused = true)]
async fn the_wait_may_be_without_end() {
    for wrapped in [false, true] {
        let world = World::new();
        let _a = world.serve("a").await;
        let list = world.list(&[]);
        let builder = waiting(&world, wrapped).wait_for_server(std::time::Duration::MAX);
        let client = connect(builder.registry(list.clone())).await;
        let call = client.once(1).start();
        tokio::time::sleep(secs(24 * 3600)).await;
        world.update(&list, &["a"]);
        assert_eq!(soon(call).await.unwrap(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn the_wait_is_bounded_and_the_calls_own_time_may_be_shorter() {
    for wrapped in [false, true] {
        let world = World::new();
        let client = connect(waiting(&world, wrapped)).await;
        let begun = Instant::now();
        assert_eq!(why(client.once(1).await), "no server of `Work` is registered");
        assert!((10_000..10_005).contains(&begun.elapsed().as_millis()));
        let begun = Instant::now();
        let result = client.once(2).timeout(secs(2)).await;
        assert_eq!(failure(result), ("Timeout", Executed::No));
        assert!((2_000..2_005).contains(&begun.elapsed().as_millis()));
        // Each call has its own patience.
        let begun = Instant::now();
        why(client.once(3).await);
        assert_eq!(begun.elapsed().as_secs(), 10);
    }
}

#[tokio::test(start_paused = true)]
async fn by_default_a_call_without_a_server_fails_at_once() {
    let world = World::new();
    let list = world.list(&[]);
    let client = connect(world.builder(&[]).registry(list.clone())).await;
    let begun = Instant::now();
    assert_eq!(why(client.once(1).await), "no server of `Work` is registered");
    assert_eq!(begun.elapsed(), ms(0));
    let _a = world.serve("a").await;
    world.update(&list, &["a"]);
    settle().await;
    assert_eq!(client.once(2).await.unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn servers_that_fail_are_not_waited_for() {
    let world = World::new();
    world.network.always(Fault::Refused);
    let builder = waiting(&world, false).registry(world.list(&["a"])).retries(0);
    let client = connect(builder).await;
    let begun = Instant::now();
    assert_eq!(failure(client.once(1).await), ("Connect", Executed::No));
    assert_eq!(begun.elapsed(), ms(0));
}

#[tokio::test(start_paused = true)]
async fn the_error_says_why_there_is_none() {
    let world = World::new();
    let list = world.list(&["a?state=inactive", "b?group=green"]);
    let client = connect(world.builder(&[]).registry(list).group("blue")).await;
    let filtered = "none of the servers of `Work` (2) is active and in the group";
    assert_eq!(why(client.once(1).await), filtered);

    let (sender, page) = page(Snapshot::starting());
    let begun = Instant::now();
    let client = connect(world.builder(&[]).registry(page)).await;
    // It waits at most the connect timeout for the first answer.
    assert_eq!(begun.elapsed().as_secs(), 1);
    assert_eq!(why(client.once(1).await), "the registry has not answered yet");
    sender.send_replace(Snapshot::lost(none(), "connection refused"));
    advance(secs(7)).await;
    let unreachable = "registry unreachable since 7 s: connection refused";
    assert_eq!(why(client.once(1).await), unreachable);
    sender.send_replace(Snapshot::live(none()));
    settle().await;
    assert_eq!(why(client.once(1).await), "no server of `Work` is registered");
    let error = client.once(1).await.unwrap_err();
    assert_eq!(error.to_string(), "no server: no server of `Work` is registered");
}

#[tokio::test(start_paused = true)]
async fn the_name_in_the_error_is_the_one_that_was_looked_for() {
    let world = World::new();
    let client = connect(world.builder(&[]).service("Labour")).await;
    assert_eq!(why(client.once(1).await), "no server of `Labour` is registered");
}

#[tokio::test(start_paused = true)]
async fn an_unreachable_registry_leaves_the_servers_that_it_named() {
    let world = World::new();
    let _a = world.serve("a").await;
    let instances = [Instance::new(world.address("a").parse().unwrap())];
    let (sender, page) = page(Snapshot::live(instances.clone()));
    let client = connect(world.builder(&[]).registry(page)).await;
    sender.send_replace(Snapshot::lost(instances, "connection refused"));
    settle().await;
    assert_eq!(client.once(1).await.unwrap(), 1);
    // And so does one that is no more.
    drop(sender);
    settle().await;
    assert_eq!(client.once(2).await.unwrap(), 2);
}

/// It must not be asked again and again either.
#[tokio::test(start_paused = true)]
async fn a_registry_that_is_no_more_is_not_waited_for() {
    for wrapped in [false, true] {
        let world = World::new();
        let (sender, page) = page(Snapshot::live(none()));
        let client = connect(waiting(&world, wrapped).registry(page)).await;
        let call = client.once(1).start();
        tokio::time::sleep(secs(1)).await;
        let begun = Instant::now();
        drop(sender);
        assert_eq!(why(soon(call).await), "no server of `Work` is registered");
        assert_eq!(why(client.once(2).await), "no server of `Work` is registered");
        why(client.once(3).inform().await);
        assert_eq!(begun.elapsed(), ms(0));
    }
}
