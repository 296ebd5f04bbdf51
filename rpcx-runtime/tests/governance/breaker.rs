//! The circuit breaker, as calls meet it.

use rpcx::client::{Breaker, BreakerState, ClientBuilder};
use rpcx::{Client as _, Error, Executed, FailMode, Refusal, Result};
use tokio::time::{Instant, advance};

use super::network::Fault;
use super::world::{
    Mood, Plain, WorkClient, World, connect, failure, ms, names, secs, settle, soon,
};

/// Opens after three failures, for ten seconds.
fn builder(world: &World, names: &[&str]) -> ClientBuilder<WorkClient> {
    let builder = world.builder(names).fail_mode(FailMode::Failfast).ejection(None);
    builder.breaker(Breaker::consecutive(3, secs(10)))
}

#[track_caller]
fn assert_refused(world: &World, result: Result<i64>) {
    let error = result.unwrap_err();
    assert_eq!(error.executed(), Executed::No);
    match error {
        Error::NotExecuted { reason: Refusal::BreakerOpen(address) } => {
            assert_eq!(address.to_string(), world.address("a"));
        }
        other => panic!("{other:?}"),
    }
}

/// A world in which the only server is refused and the circuit to it open.
async fn open() -> (World, WorkClient) {
    let world = World::new();
    world.network.always(Fault::Refused);
    let client = connect(builder(&world, &["a"])).await;
    for id in 0..3 {
        assert_eq!(failure(client.many(id).await).0, "Connect");
    }
    assert_eq!(world.network.dialed().len(), 3);
    (world, client)
}

#[tokio::test(start_paused = true)]
async fn it_opens_after_so_many_failures_and_refuses_without_sending() {
    let (world, client) = open().await;
    let _server = world.serve("a").await;
    world.network.always(Fault::None);
    for id in 0..20 {
        assert_refused(&world, client.many(id).await);
        advance(ms(490)).await;
    }
    assert!(world.network.dialed().is_empty());
    // One that succeeds closes it.
    advance(ms(300)).await;
    for id in 0..20 {
        assert_eq!(client.many(id).await.unwrap(), id);
    }
    assert_eq!(world.network.dialed().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn one_probe_at_a_time_goes_through_and_its_failure_opens_it_again() {
    let (world, client) = open().await;
    let server = world.serve("a").await;
    server.set(Mood::Slow(secs(1)));
    world.network.always(Fault::SlowDial(ms(500)));
    advance(secs(10)).await;
    let probe = client.many(1).start();
    settle().await;
    for id in 2..10 {
        assert_refused(&world, client.many(id).await);
    }
    server.kill().await;
    assert_eq!(failure(soon(probe).await).0, "Connect");
    let opened = Instant::now();
    let _server = world.serve("a").await;
    while opened.elapsed() < ms(9_900) {
        assert_refused(&world, client.many(1).await);
        advance(ms(100)).await;
    }
    advance(ms(100)).await;
    assert_eq!(client.many(1).await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_given_up_frees_its_place() {
    let (world, client) = open().await;
    let server = world.serve("a").await;
    server.set(Mood::Never);
    world.network.always(Fault::None);
    advance(secs(10)).await;
    for id in 0..5 {
        let probe = client.many(id).start();
        settle().await;
        assert_refused(&world, client.many(id).await);
        drop(probe);
        settle().await;
    }
    assert_eq!(world.ledger.take().len(), 5);
    server.set(Mood::Well);
    assert_eq!(client.many(1).await.unwrap(), 1);
    assert_eq!(client.many(2).await.unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn all_kinds_of_failures_count_and_answers_do_not() {
    let world = World::new();
    let server = world.serve("a").await;
    // An error is an answer, and so is a panic.
    for mood in [Mood::Fails, Mood::Panics] {
        server.set(mood);
        let client = connect(builder(&world, &["a"])).await;
        for id in 0..10 {
            assert_eq!(failure(client.many(id).await).0, "Service");
        }
    }
    server.set(Mood::Never);
    let client = connect(builder(&world, &["a"])).await;
    for id in 0..3 {
        assert_eq!(failure(client.many(id).timeout(ms(100)).await).0, "Timeout");
    }
    assert_refused(&world, client.many(1).await);
    server.set(Mood::Well);
    for fault in [Fault::CutReply(3), Fault::CutRequest(3), Fault::Corrupt { at: 0, byte: 1 }] {
        let client = connect(builder(&world, &["a"])).await;
        world.network.next([fault; 3]);
        for id in 0..3 {
            failure(client.many(id).await);
        }
        assert_refused(&world, client.many(1).await);
    }
    // Two in a row are not three.
    let client = connect(builder(&world, &["a"])).await;
    for id in 0..10 {
        server.set(if id % 3 == 0 { Mood::Well } else { Mood::Never });
        let result = client.many(id).timeout(ms(100)).await;
        assert_eq!(result.is_ok(), id % 3 == 0, "{result:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_many_calls_lose_is_one_failure() {
    let world = World::new();
    let client = connect(builder(&world, &["a"])).await;
    for round in 1..=3 {
        let server = world.serve("a").await;
        server.set(Mood::Never);
        let calls: Vec<_> = (0..50).map(|id| client.once(id).start()).collect();
        settle().await;
        assert_eq!(world.ledger.take().len(), 50, "round {round}");
        server.kill().await;
        for call in calls {
            assert_eq!(failure(soon(call).await), ("ConnectionLost", Executed::Maybe));
        }
    }
    assert_refused(&world, client.once(1).await);
}

#[tokio::test(start_paused = true)]
async fn a_dial_that_a_timeout_gave_up_counts() {
    let world = World::new();
    world.network.always(Fault::NoAnswer);
    let client = connect(builder(&world, &["a"])).await;
    for id in 0..3 {
        let result = client.many(id).timeout(ms(200)).await;
        assert_eq!(failure(result), ("Timeout", Executed::No));
    }
    assert_refused(&world, client.many(1).await);
}

#[tokio::test(start_paused = true)]
async fn failover_goes_past_an_open_circuit() {
    for wrapped in [false, true] {
        let world = World::new();
        let _b = world.serve("b").await;
        let builder = builder(&world, &["a", "b"]);
        let client = connect(if wrapped { builder.interceptor(Plain) } else { builder }).await;
        for id in 0..30 {
            let call = client.once(id).fail_mode(FailMode::Failover);
            assert_eq!(call.await.unwrap(), id);
        }
        let dialed = world.network.dialed();
        let vain = dialed.iter().filter(|name| *name == "a").count();
        assert!(vain <= 3, "{dialed:?}");
        assert_eq!(world.ledger.take().len(), 30);
    }
}

#[tokio::test(start_paused = true)]
async fn each_server_has_its_own() {
    let world = World::new();
    let _b = world.serve("b").await;
    let client = connect(builder(&world, &["a", "b"])).await;
    for id in 0..3 {
        world.network.next([Fault::Refused]);
        let receipts = client.many(id).inform().await.unwrap();
        assert!(receipts[0].result.is_err());
    }
    let receipts = client.many(1).inform().await.unwrap();
    let refused = receipts[0].result.as_ref().unwrap_err();
    assert!(matches!(refused, Error::NotExecuted { .. }), "{refused:?}");
    assert_eq!(*receipts[1].result.as_ref().unwrap(), 1);
}

fn state(client: &WorkClient) -> BreakerState {
    let status = client.channel().status();
    status[0].breaker.expect("the builder was given one")
}

#[tokio::test(start_paused = true)]
async fn its_state_can_be_read() {
    let (world, client) = open().await;
    let BreakerState::Open { until } = state(&client) else { panic!("{:?}", state(&client)) };
    assert_eq!(until - Instant::now(), secs(10));
    assert_eq!(names(&[client.channel().status()[0].address.clone()]), ["a"]);
    advance(secs(10)).await;
    assert_eq!(state(&client), BreakerState::HalfOpen);
    let server = world.serve("a").await;
    server.set(Mood::Never);
    world.network.always(Fault::None);
    let probe = client.many(1).start();
    settle().await;
    assert_eq!(state(&client), BreakerState::HalfOpen);
    drop(probe);
    settle().await;
    server.set(Mood::Well);
    assert_eq!(client.many(1).await.unwrap(), 1);
    assert_eq!(state(&client), BreakerState::Closed);
    let without = connect(world.builder(&["a"])).await;
    assert_eq!(without.channel().status()[0].breaker, None);
}

#[tokio::test(start_paused = true)]
async fn a_server_whose_circuit_is_open_is_not_chosen_while_another_is_closed() {
    let world = World::new();
    let [a, b] = world.serve_all(["a", "b"]).await;
    a.set(Mood::Never);
    let client = connect(builder(&world, &["a", "b"]).timeout(ms(100))).await;
    for id in 0..3 {
        assert_eq!(failure(client.many(id).await).0, "Timeout");
    }
    a.set(Mood::Well);
    world.ledger.take();
    for id in 0..9 {
        assert_eq!(client.many(id).await.unwrap(), id);
    }
    assert_eq!(world.ledger.servers(), ["b"; 9]);
    // When all are open, the call is refused.
    b.set(Mood::Never);
    for id in 0..3 {
        assert_eq!(failure(client.many(id).await).0, "Timeout");
    }
    assert_eq!(failure(client.many(1).await), ("NotExecuted", Executed::No));
    advance(secs(10)).await;
    assert_eq!(client.many(1).await.unwrap(), 1);
}
