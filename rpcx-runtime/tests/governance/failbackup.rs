//! A second request, for when the first one takes long.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rpcx::client::{ClientBuilder, RetryBudget};
use rpcx::{Error, Executed, FailMode, Refusal, RetryRule, Server};
use tokio::time::Instant;

use super::network::Fault;
use super::world::{
    First, Mood, Station, WorkClient, World, connect, failure, ms, secs, settle, soon,
};

fn builder(world: &World, names: &[&str]) -> ClientBuilder<WorkClient> {
    world.builder(names).fail_mode(FailMode::Failbackup).backup_latency(ms(20))
}

/// A client of `a`, which is in that mood, and of `b`.
async fn two(mood: Mood) -> (World, [Station; 2], WorkClient) {
    let world = World::new();
    let servers = world.serve_all(["a", "b"]).await;
    servers[0].set(mood);
    let client = connect(builder(&world, &["a", "b"])).await;
    (world, servers, client)
}

#[tokio::test(start_paused = true)]
async fn a_second_server_is_called_after_the_latency_and_not_before() {
    let (world, servers, client) = two(Mood::Slow(ms(19))).await;
    assert_eq!(client.many(1).await.unwrap(), 1);
    assert_eq!(world.ledger.servers(), ["a"]);
    servers[0].set(Mood::Never);
    let begun = Instant::now();
    let detailed = client.many(2).detailed().await;
    assert_eq!(detailed.result.unwrap(), 2);
    assert_eq!(detailed.metadata.get("by"), Some("b"));
    assert_eq!(detailed.address.unwrap().to_string(), world.address("b"));
    assert!((20..23).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
    assert_eq!(world.ledger.servers(), ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn ten_milliseconds_unless_somebody_says_more() {
    let world = World::new();
    let servers = world.serve_all(["a", "b"]).await;
    servers[0].set(Mood::Never);
    let client = connect(world.builder(&["a", "b"]).fail_mode(FailMode::Failbackup)).await;
    for (own, expected) in [(None, 10), (Some(ms(70)), 70), (Some(Duration::ZERO), 0)] {
        let begun = Instant::now();
        let mut call = client.many(1);
        if let Some(own) = own {
            call = call.backup_latency(own);
        }
        assert_eq!(call.await.unwrap(), 1);
        let elapsed = begun.elapsed().as_millis();
        assert!((expected..expected + 3).contains(&elapsed), "{elapsed} of {expected}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_reply_counts_and_tells_where_it_is_from() {
    let (world, servers, client) = two(Mood::Slow(ms(50))).await;
    servers[1].set(Mood::Slow(ms(100)));
    let begun = Instant::now();
    let detailed = client.many(1).detailed().await;
    assert_eq!(detailed.result.unwrap(), 1);
    assert_eq!(detailed.metadata.get("by"), Some("a"));
    assert_eq!(detailed.address.unwrap().to_string(), world.address("a"));
    assert!((50..53).contains(&begun.elapsed().as_millis()));
    assert_eq!(world.ledger.servers(), ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn the_slower_call_is_given_up_and_its_late_reply_dropped() {
    let world = World::new();
    let servers = world.serve_all(["a", "b"]).await;
    servers[0].set(Mood::Slow(ms(200)));
    // A call that is not given up would leave no room for the next one.
    let client = connect(builder(&world, &["a", "b"]).max_in_flight(1)).await;
    assert_eq!(client.many(1).await.unwrap(), 1);
    servers[0].set(Mood::Well);
    let begun = Instant::now();
    let next = client.many(2).detailed().await;
    assert_eq!(next.metadata.get("by"), Some("a"));
    assert_eq!((next.result.unwrap(), begun.elapsed()), (2, Duration::ZERO));
    // The reply to the first call comes in the end, and is nobody's.
    servers[0].set(Mood::Slow(ms(15)));
    for id in 3..30 {
        assert_eq!(client.many(id).await.unwrap(), id);
    }
    assert_eq!(world.network.dialed(), ["a", "b"]);
    assert_eq!(world.ledger.counts(["a", "b"]), [29, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_method_that_may_not_run_twice_is_refused_before_anything_is_sent() {
    let (world, _servers, client) = two(Mood::Well).await;
    let refused = |error: Error| {
        let Error::NotExecuted { reason: Refusal::NotIdempotent { method } } = error else {
            panic!("{error:?}")
        };
        assert_eq!(method, "Work.Once");
    };
    refused(client.once(1).await.unwrap_err());
    refused(client.once(1).start().await.unwrap_err());
    refused(client.once(1).oneway().await.unwrap_err());
    refused(client.once(1).detailed().await.result.unwrap_err());
    assert!(world.network.dialed().is_empty());
    // Where the call says that twice is as good, it is made.
    assert_eq!(client.once(2).retry(RetryRule::AtLeastOnce).await.unwrap(), 2);
    assert_eq!(client.once(3).fail_mode(FailMode::Failtry).await.unwrap(), 3);
    assert_eq!(client.risk(4).await.unwrap(), 4);
    assert_eq!(failure(client.risk(5).retry(RetryRule::Safe).await).0, "NotExecuted");
    assert_eq!(world.ledger.servers(), ["a", "a", "a"]);
}

#[tokio::test(start_paused = true)]
async fn a_first_attempt_that_fails_early_goes_on_elsewhere_at_once() {
    let (world, _servers, _) = two(Mood::Well).await;
    for fault in [Fault::Refused, Fault::CutRequest(5), Fault::CutReply(3)] {
        world.network.at("a", fault);
        let client = connect(builder(&world, &["a", "b"])).await;
        let begun = Instant::now();
        let detailed = client.many(1).detailed().await;
        assert_eq!(detailed.result.unwrap(), 1);
        assert_eq!(detailed.metadata.get("by"), Some("b"));
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_after_the_latency_leaves_the_field_to_the_other() {
    let world = World::new();
    let servers = world.serve_all(["a", "b"]).await;
    servers[0].set(Mood::Never);
    servers[1].set(Mood::Slow(ms(100)));
    let client = connect(builder(&world, &["a", "b"])).await;
    let call = client.many(1).start();
    tokio::time::sleep(ms(50)).await;
    assert_eq!(world.ledger.servers(), ["a", "b"]);
    let [a, _b] = servers;
    a.kill().await;
    assert_eq!(soon(call).await.unwrap(), 1);
    assert_eq!(world.ledger.take().len(), 0, "nothing is made a third time");
    // The other way round: the second one fails, and the first is waited for.
    let world = World::new();
    let [a] = world.serve_all(["a"]).await;
    a.set(Mood::Slow(ms(100)));
    let client = connect(builder(&world, &["a", "b"])).await;
    let begun = Instant::now();
    assert_eq!(client.many(1).await.unwrap(), 1);
    assert!((100..103).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
    assert_eq!(world.network.dialed(), ["a", "b"]);
    assert_eq!(world.ledger.servers(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn if_both_fail_the_error_says_what_either_may_have_done() {
    for first_may_have_run in [true, false] {
        let world = World::new();
        let servers = world.serve_all(["a", "b"]).await;
        for server in &servers {
            server.set(Mood::Never);
        }
        if first_may_have_run {
            // It ends before the second one does, or after.
            world.network.at("b", Fault::SlowDial(ms(200)));
        } else {
            world.network.at("a", Fault::SlowDial(ms(200)));
        }
        let client = connect(builder(&world, &["a", "b"]).retries(0)).await;
        let call = client.many(1).start();
        tokio::time::sleep(ms(100)).await;
        assert_eq!(world.ledger.take().len(), 1);
        for server in servers {
            server.kill().await;
        }
        let result = soon(call).await;
        assert_eq!(failure(result), ("ConnectionLost", Executed::Maybe));
    }
}

#[tokio::test(start_paused = true)]
async fn if_both_fail_the_call_is_made_again_within_its_retries() {
    let world = World::new();
    let [_c] = world.serve_all(["c"]).await;
    world.network.next([Fault::NoAnswer, Fault::NoAnswer]);
    let client = connect(builder(&world, &["a", "b", "c"]).connect_timeout(ms(100))).await;
    assert_eq!(client.many(1).await.unwrap(), 1);
    assert_eq!(world.ledger.servers(), ["c"]);
}

#[tokio::test(start_paused = true)]
async fn a_service_error_is_an_answer() {
    let (world, servers, client) = two(Mood::Never).await;
    servers[1].set(Mood::Fails);
    assert_eq!(failure(client.many(1).await), ("Service", Executed::Yes));
    assert_eq!(world.ledger.servers(), ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn with_a_single_server_there_is_no_second_request() {
    let world = World::new();
    let [a] = world.serve_all(["a"]).await;
    a.set(Mood::Slow(secs(1)));
    let client = connect(builder(&world, &["a"])).await;
    assert_eq!(client.many(1).await.unwrap(), 1);
    assert_eq!(world.ledger.servers(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn second_requests_are_on_the_budget() {
    let (world, _servers, _) = two(Mood::Slow(ms(100))).await;
    let budget = RetryBudget::new(0.0, 1);
    let client = connect(builder(&world, &["a", "b"]).retry_budget(budget)).await;
    for id in 0..30 {
        assert_eq!(client.many(id).await.unwrap(), id);
    }
    // The budget of ten seconds, which have not passed.
    assert_eq!(world.ledger.counts(["a", "b"]), [30, 10]);
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_with_its_time_whoever_was_called() {
    let (world, servers, client) = two(Mood::Never).await;
    servers[1].set(Mood::Never);
    let begun = Instant::now();
    let error = client.many(1).timeout(ms(300)).await.unwrap_err();
    let whole =
        matches!(error, Error::Timeout { after, executed: Executed::Maybe } if after == ms(300));
    assert!(whole, "{error:?}");
    assert!((300..303).contains(&begun.elapsed().as_millis()));
    assert_eq!(world.ledger.servers(), ["a", "b"]);
    // Dialing all the time, it has not run.
    let world = World::new();
    world.network.always(Fault::NoAnswer);
    let client = connect(builder(&world, &["a", "b"])).await;
    let result = client.many(1).timeout(ms(300)).await;
    assert_eq!(failure(result), ("Timeout", Executed::No));
    assert_eq!(world.network.dialed(), ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_call_gives_both_requests_up() {
    let world = World::new();
    let servers = world.serve_all(["a", "b"]).await;
    for server in &servers {
        server.set(Mood::Never);
    }
    let client = connect(builder(&world, &["a", "b"]).max_in_flight(1)).await;
    let call = client.many(1).start();
    tokio::time::sleep(ms(50)).await;
    assert_eq!(world.ledger.servers(), ["a", "b"]);
    drop(call);
    settle().await;
    for server in &servers {
        server.set(Mood::Well);
    }
    let begun = Instant::now();
    let receipts = client.many(2).inform().await.unwrap();
    assert!(receipts.into_iter().all(|receipt| receipt.result.is_ok()));
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

/// One of twenty calls takes a second at the first server.
async fn slowest_of_many(mode: FailMode) -> Duration {
    let world = World::new();
    let servers = world.serve_all(["a", "b"]).await;
    let client = connect(builder(&world, &["a", "b"]).fail_mode(mode)).await;
    let mut times = Vec::new();
    for id in 0..200 {
        servers[0].set(if id % 20 == 7 { Mood::Slow(secs(1)) } else { Mood::Slow(ms(2)) });
        let begun = Instant::now();
        assert_eq!(client.many(id).await.unwrap(), id);
        times.push(begun.elapsed());
    }
    times.sort();
    // The 99th of a hundred.
    times[197]
}

#[tokio::test(start_paused = true)]
async fn the_slowest_calls_get_faster() {
    assert!(slowest_of_many(FailMode::Failfast).await >= secs(1));
    let backed = slowest_of_many(FailMode::Failbackup).await;
    assert!(backed < ms(25), "{backed:?}");
}

#[rpcx::service]
trait Long {
    #[rpcx(idempotent)]
    async fn work(&self) -> rpcx::Result<i64>;
}

#[derive(Clone, Default)]
struct Worked {
    slow: Arc<AtomicBool>,
    finished: Arc<AtomicUsize>,
    ended: Arc<AtomicUsize>,
}

struct Ends(Arc<AtomicUsize>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Long for Worked {
    async fn work(&self) -> rpcx::Result<i64> {
        let _ends = Ends(Arc::clone(&self.ended));
        if self.slow.load(Ordering::SeqCst) {
            tokio::time::sleep(secs(60)).await;
        }
        self.finished.fetch_add(1, Ordering::SeqCst);
        Ok(1)
    }
}

#[tokio::test(start_paused = true)]
async fn the_slower_server_stops_working() {
    let world = World::new();
    let [a, b] = [Worked::default(), Worked::default()];
    let mut stations = Vec::new();
    for (name, worked) in [("a", &a), ("b", &b)] {
        let server = Server::new().add(LongServer::new(worked.clone()));
        stations.push(world.serve_with(name, Arc::<Mutex<Mood>>::default(), server).await);
    }
    let builder = LongClient::builder().connector(world.network.clone()).selector(First);
    let builder = builder.registry(world.list(&["a", "b"])).fail_mode(FailMode::Failbackup);
    let client = connect(builder).await;
    // The first reply tells that the server is to hear of calls that are given up.
    assert_eq!(client.work().await.unwrap(), 1);
    a.slow.store(true, Ordering::SeqCst);
    assert_eq!(client.work().await.unwrap(), 1);
    settle().await;
    let [ended, finished] = [&a.ended, &a.finished].map(|count| count.load(Ordering::SeqCst));
    assert_eq!((ended, finished), (2, 1), "the second one was dropped where it waited");
    assert_eq!(b.finished.load(Ordering::SeqCst), 1);
}
