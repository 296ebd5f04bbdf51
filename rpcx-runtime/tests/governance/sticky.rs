//! Calls that stick to one server.

use rpcx::{FailMode, SelectMode};

use super::network::Fault;
use super::world::{Mood, WorkClient, World, connect, failure, ms, settle};

const THREE: [&str; 3] = ["a", "b", "c"];

/// Makes calls; gives the servers that ran them.
async fn servers(world: &World, client: &WorkClient, calls: i64) -> Vec<String> {
    for id in 0..calls {
        assert_eq!(client.once(id).await.unwrap(), id);
    }
    world.ledger.servers()
}

#[tokio::test(start_paused = true)]
async fn all_calls_go_to_the_server_of_the_first_as_long_as_its_connection_is_open() {
    let world = World::new();
    let mut stations = Vec::from(world.serve_all(THREE).await);
    let mut left = Vec::from(THREE);
    let builder = world.builder(&THREE).select(SelectMode::RoundRobin).sticky();
    let client = connect(builder.fail_mode(FailMode::Failover)).await;
    while !left.is_empty() {
        let ran = servers(&world, &client, 10).await;
        assert!(ran.iter().all(|server| *server == ran[0]), "{ran:?}");
        let place = left.iter().position(|name| *name == ran[0]).expect("it is left");
        left.remove(place);
        stations.remove(place).kill().await;
    }
}

#[tokio::test(start_paused = true)]
async fn without_it_calls_take_turns() {
    let world = World::new();
    let _stations = world.serve_all(THREE).await;
    let client = connect(world.builder(&THREE).select(SelectMode::RoundRobin)).await;
    let mut ran = servers(&world, &client, 9).await;
    ran.sort();
    assert_eq!(ran, ["a", "a", "a", "b", "b", "b", "c", "c", "c"]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_left_the_list_is_left_and_its_connection_closed() {
    let world = World::new();
    let _stations = world.serve_all(THREE).await;
    let list = world.list(&["a", "b"]);
    let client = connect(world.builder(&[]).registry(list.clone()).sticky()).await;
    assert_eq!(servers(&world, &client, 3).await, ["a", "a", "a"]);
    world.update(&list, &["b", "c"]);
    settle().await;
    assert_eq!(servers(&world, &client, 3).await, ["b", "b", "b"]);
    world.network.closed("a").await;
    // That another one comes first now is no reason to leave.
    world.update(&list, &["a", "b"]);
    settle().await;
    assert_eq!(servers(&world, &client, 3).await, ["b", "b", "b"]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_left_is_left_even_if_a_call_is_still_there() {
    let world = World::new();
    let [a, _b] = world.serve_all(["a", "b"]).await;
    a.set(Mood::Never);
    let list = world.list(&["a", "b"]);
    let client = connect(world.builder(&[]).registry(list.clone()).sticky()).await;
    let call = client.once(0).start();
    settle().await;
    world.ledger.take();
    world.update(&list, &["b"]);
    settle().await;
    assert_eq!(servers(&world, &client, 3).await, ["b", "b", "b"]);
    assert_eq!(world.network.open("a"), 1);
    drop(call);
    world.network.closed("a").await;
}

#[tokio::test(start_paused = true)]
async fn the_connection_to_a_server_that_left_closes_without_another_call() {
    let world = World::new();
    let _stations = world.serve_all(["a", "b"]).await;
    let list = world.list(&["a", "b"]);
    let client = connect(world.builder(&[]).registry(list.clone()).sticky()).await;
    assert_eq!(servers(&world, &client, 1).await, ["a"]);
    world.update(&list, &["b"]);
    world.network.closed("a").await;
    assert_eq!(servers(&world, &client, 1).await, ["b"]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_was_never_reached_is_not_stuck_to() {
    let world = World::new();
    let _stations = world.serve_all(["b"]).await;
    let builder = world.builder(&["a", "b"]).fail_mode(FailMode::Failfast).sticky();
    let client = connect(builder).await;
    assert_eq!(failure(client.once(0).await).0, "Connect");
    assert_eq!(servers(&world, &client, 5).await, ["b"; 5]);
    // It stays there when the first one is back.
    let _a = world.serve("a").await;
    tokio::time::advance(super::world::secs(5)).await;
    assert_eq!(servers(&world, &client, 5).await, ["b"; 5]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_fails_over_takes_the_others_along() {
    let world = World::new();
    let _stations = world.serve_all(["a", "b"]).await;
    let builder = world.builder(&["a", "b"]).fail_mode(FailMode::Failover).sticky();
    let client = connect(builder).await;
    world.network.next([Fault::Refused]);
    assert_eq!(servers(&world, &client, 5).await, ["b"; 5]);
    assert_eq!(world.network.dialed(), ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn calls_that_come_first_at_the_same_time_stick_together() {
    let world = World::new();
    let _stations = world.serve_all(THREE).await;
    let builder = world.builder(&THREE).select(SelectMode::RoundRobin).sticky();
    let client = connect(builder).await;
    let calls: Vec<_> = (0..30).map(|id| client.once(id).start()).collect();
    for call in calls {
        call.await.unwrap();
    }
    let ran = world.ledger.servers();
    assert!(ran.iter().all(|server| *server == ran[0]), "{ran:?}");
    assert_eq!(world.network.dialed().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_ejected_is_left() {
    let world = World::new();
    let [a, _b] = world.serve_all(["a", "b"]).await;
    a.set(Mood::Never);
    let builder = world.builder(&["a", "b"]).fail_mode(FailMode::Failfast);
    let client = connect(builder.timeout(ms(100)).sticky()).await;
    for id in 0..5 {
        assert_eq!(failure(client.once(id).await).0, "Timeout");
    }
    assert_eq!(world.ledger.servers(), ["a"; 5]);
    assert_eq!(servers(&world, &client, 5).await, ["b"; 5]);
}
