//! Servers that are passed over for a while, as calls meet them.

use rpcx::client::ServerHealth::{Ejected, Good, ProbeDue, Unreachable};
use rpcx::client::{ClientBuilder, Ejection};
use rpcx::{Client as _, Executed, FailMode, SelectMode};
use tokio::time::advance;

use super::network::Fault;
use super::world::{Mood, Plain, Station, WorkClient, World, connect, failure, ms, secs, settle};

/// A client that takes the first fit server, and makes no call again.
fn builder(world: &World, names: &[&str]) -> ClientBuilder<WorkClient> {
    world.builder(names).fail_mode(FailMode::Failfast).timeout(ms(100))
}

/// A world in which `a`, the first of several, has just been ejected.
async fn ejected<const N: usize>(names: [&str; N]) -> (World, [Station; N], WorkClient) {
    let world = World::new();
    let servers = world.serve_all(names).await;
    servers[0].set(Mood::Never);
    let client = connect(builder(&world, &names)).await;
    for id in 0..5 {
        assert_eq!(failure(client.many(id).await).0, "Timeout");
    }
    assert_eq!(world.ledger.servers(), ["a"; 5]);
    (world, servers, client)
}

#[tokio::test(start_paused = true)]
async fn a_server_that_gives_no_answer_in_time_is_passed_over() {
    let (world, servers, client) = ejected(["a", "b"]).await;
    servers[0].set(Mood::Well);
    for id in 0..9 {
        assert_eq!(client.many(id).await.unwrap(), id);
        advance(ms(100)).await;
    }
    assert_eq!(world.ledger.servers(), ["b"; 9]);
    // At most a fifth more than a second later it is called again.
    advance(ms(400)).await;
    assert_eq!(client.many(1).await.unwrap(), 1);
    assert_eq!(client.many(2).await.unwrap(), 2);
    assert_eq!(world.ledger.servers(), ["a", "a"]);
}

#[tokio::test(start_paused = true)]
async fn one_call_sees_how_it_is_and_the_others_go_elsewhere() {
    let (world, _servers, client) = ejected(["a", "b"]).await;
    advance(ms(1_250)).await;
    let probe = client.many(0).start();
    settle().await;
    for id in 1..6 {
        assert_eq!(client.many(id).await.unwrap(), id);
    }
    assert_eq!(failure(probe.await).0, "Timeout");
    assert_eq!(world.ledger.servers(), ["a", "b", "b", "b", "b", "b"]);
    // The next time is twice as long.
    advance(ms(1_900)).await;
    assert_eq!(client.many(1).await.unwrap(), 1);
    assert_eq!(world.ledger.servers(), ["b"]);
    advance(ms(600)).await;
    assert_eq!(failure(client.many(2).await).0, "Timeout");
    assert_eq!(world.ledger.servers(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_given_up_frees_its_place() {
    for wrapped in [false, true] {
        let (world, servers, client) = ejected(["a", "b"]).await;
        // Only the kind of calls is another one.
        drop(client);
        servers[0].set(Mood::Never);
        let builder = builder(&world, &["a", "b"]);
        let client = connect(if wrapped { builder.interceptor(Plain) } else { builder }).await;
        for id in 0..5 {
            assert_eq!(failure(client.many(id).await).0, "Timeout");
        }
        world.ledger.take();
        advance(ms(1_250)).await;
        for id in 0..5 {
            let probe = client.many(id).start();
            settle().await;
            assert_eq!(client.many(id).await.unwrap(), id);
            drop(probe);
            settle().await;
        }
        assert_eq!(world.ledger.counts(["a", "b"]), [5, 5]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_server_is_never_passed_over() {
    let (world, _servers, client) = ejected(["a"]).await;
    for id in 0..20 {
        assert_eq!(failure(client.many(id).await).0, "Timeout");
    }
    assert_eq!(world.ledger.servers().len(), 20);
}

#[tokio::test(start_paused = true)]
async fn never_more_than_half_are_passed_over() {
    for (names, called) in [(&["a", "b", "c"][..], 2), (&["a", "b", "c", "d"], 2)] {
        let world = World::new();
        let mut servers = Vec::new();
        for name in names {
            servers.push(world.serve(name).await);
        }
        for server in &servers {
            server.set(Mood::Never);
        }
        let builder = builder(&world, names).select(SelectMode::RoundRobin);
        let ejection = Ejection::new().first(secs(3600)).longest(secs(3600));
        let client = connect(builder.ejection(ejection)).await;
        for id in 0..100 {
            failure(client.many(id).await);
        }
        world.ledger.take();
        for id in 0..20 {
            failure(client.many(id).await);
        }
        let mut called_now = world.ledger.servers();
        called_now.sort();
        called_now.dedup();
        assert_eq!(called_now.len(), called, "{called_now:?} of {names:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn errors_of_the_service_are_no_failures() {
    let world = World::new();
    let servers = world.serve_all(["a", "b"]).await;
    for mood in [Mood::Fails, Mood::Panics] {
        servers[0].set(mood);
        let client = connect(builder(&world, &["a", "b"])).await;
        for id in 0..10 {
            assert_eq!(failure(client.many(id).await).0, "Service");
        }
        assert_eq!(world.ledger.servers(), ["a"; 10]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_many_calls_lose_is_one_failure() {
    let world = World::new();
    let [a, _b] = world.serve_all(["a", "b"]).await;
    a.set(Mood::Never);
    let client = connect(builder(&world, &["a", "b"])).await;
    let calls: Vec<_> = (0..50).map(|id| client.many(id).start()).collect();
    settle().await;
    a.kill().await;
    let _a = world.serve("a").await;
    for call in calls {
        assert_eq!(failure(call.await).0, "ConnectionLost");
    }
    world.ledger.take();
    advance(ms(100)).await;
    assert_eq!(client.many(1).await.unwrap(), 1);
    assert_eq!(world.ledger.servers(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn it_can_be_turned_off_and_set() {
    let world = World::new();
    let servers = world.serve_all(["a", "b"]).await;
    servers[0].set(Mood::Never);
    let client = connect(builder(&world, &["a", "b"]).ejection(None)).await;
    for id in 0..20 {
        assert_eq!(failure(client.many(id).await).0, "Timeout");
    }
    let ejection = Ejection::new().failures(1).first(secs(60)).longest(secs(60));
    let client = connect(builder(&world, &["a", "b"]).ejection(ejection)).await;
    assert_eq!(failure(client.many(1).await).0, "Timeout");
    advance(secs(59)).await;
    assert_eq!(client.many(2).await.unwrap(), 2);
}

/// As if its packets were swallowed: a dial ends with the call, and says nothing of itself.
#[tokio::test(start_paused = true)]
async fn a_server_that_is_dialed_in_vain_is_passed_over() {
    for wrapped in [false, true] {
        let world = World::new();
        let _servers = world.serve_all(["a", "b"]).await;
        world.network.at("a", Fault::NoAnswer);
        let builder = builder(&world, &["a", "b"]);
        let client = connect(if wrapped { builder.interceptor(Plain) } else { builder }).await;
        let mut failures = 0;
        for id in 0..20 {
            failures += i32::from(client.many(id).await.is_err());
        }
        assert_eq!(failures, 5);
        assert_eq!(world.ledger.servers(), ["b"; 15]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_back_gets_its_share_again() {
    let world = World::new();
    let [a, b] = world.serve_all(["a", "b"]).await;
    let builder = builder(&world, &["a", "b"]).select(SelectMode::RoundRobin);
    let client = connect(builder.fail_mode(FailMode::Failover)).await;
    a.kill().await;
    for id in 0..10 {
        assert_eq!(client.once(id).await.unwrap(), id);
    }
    assert_eq!(world.ledger.servers(), ["b"; 10]);
    let _a = world.serve("a").await;
    advance(secs(2)).await;
    for id in 0..10 {
        assert_eq!(client.once(id).await.unwrap(), id);
    }
    assert_eq!(world.ledger.counts(["a", "b"]), [5, 5]);
    drop(b);
}

#[tokio::test(start_paused = true)]
async fn how_servers_are_can_be_read() {
    let (world, servers, client) = ejected(["a", "b", "c"]).await;
    let [a, b, c] = servers;
    let health = || {
        let status = client.channel().status();
        let health: Vec<_> = status.iter().map(|server| server.health).collect();
        let connections: Vec<_> = status.iter().map(|server| server.connections).collect();
        (health, connections)
    };
    assert_eq!(health(), (vec![Ejected, Good, Good], vec![1, 0, 0]));
    c.kill().await;
    let receipts = client.many(1).timeout(ms(1)).inform().await.unwrap();
    assert!(receipts[1].result.is_ok());
    assert_eq!(health(), (vec![Ejected, Good, Unreachable], vec![1, 1, 0]));
    b.set(Mood::Never);
    let calls: Vec<_> = (0..3).map(|id| client.many(id).start()).collect();
    settle().await;
    assert_eq!(client.channel().status()[1].pending, 3);
    drop(calls);
    settle().await;
    assert_eq!(client.channel().status()[1].pending, 0);
    advance(ms(1_250)).await;
    assert_eq!(health().0, [ProbeDue, Good, ProbeDue]);
    a.set(Mood::Well);
    assert_eq!(client.many(1).await.unwrap(), 1);
    assert_eq!(health().0, [Good, Good, ProbeDue]);
    assert_eq!(world.network.dialed(), ["a", "b", "c"]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_lost_a_connection_with_calls_is_avoided_for_a_moment() {
    let world = World::new();
    let servers = world.serve_all(["a", "b"]).await;
    let client = connect(builder(&world, &["a", "b"])).await;
    // The first fit server is the first.
    world.network.next([Fault::CutReply(0)]);
    assert_eq!(failure(client.many(0).await), ("ConnectionLost", Executed::Maybe));
    for id in 1..4 {
        assert_eq!(client.many(id).await.unwrap(), id);
    }
    assert_eq!(world.ledger.servers(), ["a", "b", "b", "b"]);
    advance(ms(100)).await;
    assert_eq!(client.many(4).await.unwrap(), 4);
    assert_eq!(world.ledger.servers(), ["a"]);
    drop(servers);
}

#[tokio::test(start_paused = true)]
async fn the_only_server_is_called_again_at_once() {
    let world = World::new();
    let _server = world.serve("a").await;
    let client = connect(builder(&world, &["a"])).await;
    world.network.next([Fault::CutReply(0), Fault::CutReply(0)]);
    for id in 0..2 {
        assert_eq!(failure(client.many(id).await), ("ConnectionLost", Executed::Maybe));
    }
    assert_eq!(client.many(2).await.unwrap(), 2);
}
