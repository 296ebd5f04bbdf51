//! Faults that are no cuts: what the client makes of each.

use std::time::Duration;

use rpcx::client::ClientBuilder;
use rpcx::{Bytes, Error, Executed, FailMode};
use rpcx_examples::faults::{At, Fault, FaultConnector, Faults, Rule, When};
use tokio::time::Instant;

use crate::ledger::{CountingClient, Ledger};

/// A server of its own, and a client behind faults.
async fn world(
    name: &str,
    rules: impl IntoIterator<Item = Rule>,
) -> (Ledger, ClientBuilder<CountingClient>, String) {
    let address = format!("memory@other-{name}");
    let ledger = Ledger::new(100);
    ledger.serve(std::slice::from_ref(&address)).await;
    let faults = Faults::new(1);
    rules.into_iter().for_each(|rule| faults.add(rule));
    let builder = CountingClient::builder().connector(FaultConnector::new(faults));
    (ledger, builder.fail_mode(FailMode::Failfast), address)
}

fn cargo() -> Bytes {
    Bytes::from(vec![1; 10])
}

#[tokio::test(start_paused = true)]
async fn a_half_open_connection_is_found_by_its_heartbeat() {
    let (_, builder, address) =
        world("half-open", [Rule::request(Fault::Blackhole).when(When::Nth(2))]).await;
    let client = builder.connect_lazily(&address).unwrap();
    assert_eq!(client.add(1, cargo()).await.unwrap(), 1);
    let since = Instant::now();
    let error = client.add(2, cargo()).await.unwrap_err();
    assert!(matches!(error, Error::ConnectionLost { executed: Executed::Maybe, .. }), "{error:?}");
    // Asked after 10 s, and 5 s to answer; the goal is 20 s.
    assert!(since.elapsed() <= Duration::from_secs(20), "{:?}", since.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_comes_twice_is_taken_once() {
    let (ledger, builder, address) = world("twice", [Rule::reply(Fault::Duplicate)]).await;
    let client = builder.connect_lazily(&address).unwrap();
    for id in 1..50 {
        assert_eq!(client.add(id, cargo()).await.unwrap(), id);
        assert_eq!(ledger.runs(id), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn replies_in_another_order_reach_their_calls() {
    let (_, builder, address) =
        world("swapped", [Rule::reply(Fault::Swap).when(When::Every(2))]).await;
    let client = builder.connect_lazily(&address).unwrap();
    let calls = (1..50).map(|id| {
        let client = &client;
        async move { assert_eq!(client.add(id, cargo()).await.unwrap(), id) }
    });
    futures_util::future::join_all(calls).await;
}

#[tokio::test(start_paused = true)]
async fn a_reply_with_the_number_of_no_call_leaves_its_call_to_the_timeout() {
    let (_, builder, address) =
        world("seq", [Rule::reply(Fault::Seq(1 << 20)).when(When::Nth(1))]).await;
    let client = builder.connect_lazily(&address).unwrap();
    let error = client.add(1, cargo()).timeout(Duration::from_secs(1)).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { executed: Executed::Maybe, .. }), "{error:?}");
    assert_eq!(client.add(2, cargo()).await.unwrap(), 2, "others do not notice");
}

#[tokio::test(start_paused = true)]
async fn a_late_reply_and_one_that_never_comes_are_timeouts() {
    let second = Duration::from_secs(1);
    for (name, fault) in [("late", Fault::Delay(2 * second)), ("lost", Fault::Drop)] {
        let (_, builder, address) = world(name, [Rule::reply(fault).when(When::Nth(1))]).await;
        let client = builder.connect_lazily(&address).unwrap();
        let error = client.add(1, cargo()).timeout(second).await.unwrap_err();
        assert!(matches!(error, Error::Timeout { executed: Executed::Maybe, .. }), "{error:?}");
        assert_eq!(client.add(2, cargo()).await.unwrap(), 2, "the late reply is nobody's");
    }
}

#[tokio::test(start_paused = true)]
async fn messages_in_pieces_are_whole_in_the_end() {
    let pieces = Fault::Slice(1, Duration::from_millis(1));
    let (_, builder, address) =
        world("sliced", [Rule::reply(pieces.clone()), Rule::request(pieces)]).await;
    let client = builder.connect_lazily(&address).unwrap();
    for id in 1..5 {
        assert_eq!(client.add(id, cargo()).await.unwrap(), id);
    }
}

#[tokio::test(start_paused = true)]
async fn a_broken_reply_ends_the_calls_of_its_connection_and_no_others() {
    let (_, builder, address) =
        world("magic", [Rule::reply(Fault::Corrupt(At::Byte(0), None)).times(1)]).await;
    let client = builder.connect_lazily(&address).unwrap();
    let calls = futures_util::future::join_all((1..9).map(|id| {
        let client = &client;
        async move { client.add(id, cargo()).await }
    }));
    // One that was not sent yet goes to the next connection.
    let failed: Vec<_> = calls.await.into_iter().filter_map(Result::err).collect();
    assert!(!failed.is_empty());
    for error in failed {
        let lost = matches!(error, Error::Protocol(_) | Error::ConnectionLost { .. });
        assert!(lost && error.executed() == Executed::Maybe, "{error:?}");
    }
    assert_eq!(client.add(9, cargo()).await.unwrap(), 9, "on a new connection");
}

#[test]
fn the_same_seed_harms_the_same_bytes() {
    let strikes = |seed| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let (_, builder, address) = world("seeded", []).await;
            let faults = Faults::new(seed);
            faults.add(Rule::reply(Fault::Corrupt(At::Random, None)).when(When::OneIn(3)));
            let struck = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
            let noted = std::sync::Arc::clone(&struck);
            faults.watch(move |fault| noted.lock().unwrap().push(fault.to_string()));
            let client = builder.connector(FaultConnector::new(faults)).connect_lazily(&address);
            let client = client.unwrap();
            for id in 0..60 {
                // Some fail, some do not: that is not the question here.
                let _ = client.add(id, cargo()).timeout(Duration::from_secs(1)).await;
            }
            let struck = struck.lock().unwrap();
            struck.clone()
        })
    };
    let first = strikes(7);
    assert!(first.len() > 10, "{first:?}");
    assert_eq!(first, strikes(7));
    assert_ne!(first, strikes(8));
}
