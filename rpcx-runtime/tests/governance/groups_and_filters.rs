//! Which of the servers in the registry are called at all.

use rpcx::{Address, SelectMode};

use super::network::name_of;
use super::world::{WorkClient, World, connect, names, settle};

const ALL: [&str; 5] = ["a", "b", "c", "d", "e"];
const LISTED: [&str; 5] = [
    "a?group=blue&weight=9",
    "b?group=green&group=blue",
    "c",
    "d?group=blue&state=inactive",
    "e?group=green&weight=9",
];

fn used(client: &WorkClient) -> Vec<String> {
    use rpcx::Client as _;
    names(&client.channel().servers())
}

/// Makes calls in turn; gives who ran them, each once.
async fn called(world: &World, client: &WorkClient) -> Vec<String> {
    for id in 0..10 {
        client.once(id).await.unwrap();
    }
    let mut ran = world.ledger.servers();
    ran.sort();
    ran.dedup();
    ran
}

#[tokio::test(start_paused = true)]
async fn servers_of_the_group_are_called_unless_they_are_inactive() {
    let world = World::new();
    let _servers = world.serve_all(ALL).await;
    for (group, expected) in [
        (None, &["a", "b", "c", "e"][..]),
        (Some("blue"), &["a", "b"]),
        (Some("green"), &["b", "e"]),
    ] {
        let mut builder = world.builder(&LISTED).select(SelectMode::RoundRobin);
        if let Some(group) = group {
            builder = builder.group(group);
        }
        let client = connect(builder).await;
        assert_eq!(used(&client), expected, "{group:?}");
        assert_eq!(called(&world, &client).await, expected, "{group:?}");
        let receipts = client.once(1).inform().await.unwrap();
        let informed: Vec<_> = receipts.iter().map(|receipt| name_of(&receipt.address)).collect();
        assert_eq!(informed, expected, "{group:?}");
        world.ledger.take();
    }
}

#[tokio::test(start_paused = true)]
async fn a_filter_of_ones_own_comes_on_top() {
    let world = World::new();
    let _servers = world.serve_all(ALL).await;
    let heavy = |instance: &rpcx::Instance| instance.metadata().weight() == Some(9);
    let builder = world.builder(&LISTED).select(SelectMode::RoundRobin);
    let client = connect(builder.filter(heavy)).await;
    assert_eq!(called(&world, &client).await, ["a", "e"]);
    let builder = world.builder(&LISTED).select(SelectMode::RoundRobin);
    let client = connect(builder.filter(heavy).group("green")).await;
    assert_eq!(called(&world, &client).await, ["e"]);
    // The last one counts.
    let not_a = |instance: &rpcx::Instance| name_of(instance.address()) != "a";
    let client = connect(world.builder(&LISTED).filter(heavy).filter(not_a)).await;
    assert_eq!(used(&client), ["b", "c", "e"]);
}

#[tokio::test(start_paused = true)]
async fn later_lists_are_filtered_too() {
    let world = World::new();
    let _servers = world.serve_all(ALL).await;
    let list = world.list(&["a?group=blue", "b?group=blue"]);
    let builder = world.builder(&[]).registry(list.clone()).group("blue");
    let not_e = |instance: &rpcx::Instance| name_of(instance.address()) != "e";
    let client = connect(builder.filter(not_e).select(SelectMode::RoundRobin)).await;
    assert_eq!(called(&world, &client).await, ["a", "b"]);
    // One moves to another group, one is taken out of use, one comes, two are not wanted.
    let next =
        ["a?group=green", "b?group=blue&state=inactive", "c?group=blue", "d", "e?group=blue"];
    world.update(&list, &next);
    settle().await;
    assert_eq!(called(&world, &client).await, ["c"]);
    world.network.closed("a").await;
    world.network.closed("b").await;
    world.update(&list, &["a?group=blue", "b?group=blue&state=active"]);
    settle().await;
    assert_eq!(called(&world, &client).await, ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn a_filter_that_panics_lets_that_server_not_through_and_the_list_is_followed() {
    let world = World::new();
    let _servers = world.serve_all(ALL).await;
    let list = world.list(&["a?weight=1"]);
    let picky = |instance: &rpcx::Instance| instance.metadata().weight().unwrap() > 0;
    let builder = world.builder(&[]).registry(list.clone()).filter(picky);
    let client = connect(builder.select(SelectMode::RoundRobin)).await;
    world.update(&list, &["a?weight=1", "b", "c?weight=1"]);
    settle().await;
    assert_eq!(called(&world, &client).await, ["a", "c"]);
    world.update(&list, &["b", "d?weight=1"]);
    settle().await;
    assert_eq!(called(&world, &client).await, ["d"]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_listed_twice_is_one() {
    let world = World::new();
    let _servers = world.serve_all(ALL).await;
    let list = world.list(&["b", "a?weight=1", "b?weight=2"]);
    let client = connect(world.builder(&[]).registry(list).select(SelectMode::RoundRobin)).await;
    assert_eq!(used(&client), ["b", "a"]);
    assert_eq!(client.once(1).inform().await.unwrap().len(), 2);
    assert_eq!(world.ledger.counts(["a", "b"]), [1, 1]);
}

#[tokio::test(start_paused = true)]
async fn metadata_that_changes_costs_no_connection() {
    let world = World::new();
    let _servers = world.serve_all(["a"]).await;
    let list = world.list(&["a?weight=1"]);
    let client = connect(world.builder(&[]).registry(list.clone())).await;
    called(&world, &client).await;
    world.update(&list, &["a?weight=2&group=blue"]);
    settle().await;
    called(&world, &client).await;
    assert_eq!(world.network.dialed(), ["a"]);
    assert_eq!(used(&client), ["a"]);
    let address: Address = world.address("a").parse().unwrap();
    assert_eq!(rpcx::Client::channel(&client).servers(), [address]);
}
