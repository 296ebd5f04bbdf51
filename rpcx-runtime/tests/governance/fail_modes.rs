//! Where and when a call is made again: fail modes, pauses, times and the budget.

use std::future::IntoFuture as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rpcx::client::RetryBudget;
use rpcx::server::interceptor::{Incoming, Interceptor, Next, Outgoing, Rejection};
use rpcx::{Error, Executed, FailMode, RetryRule, SelectMode, Server};
use tokio::task::JoinSet;
use tokio::time::{Instant, advance};

use super::network::Fault;
use super::world::{Mood, Plain, Station, World, connect, failure, ms, secs, settle, soon};

const MODES: [FailMode; 3] = [FailMode::Failtry, FailMode::Failover, FailMode::Failfast];
const THREE: [&str; 3] = ["a", "b", "c"];

#[tokio::test(start_paused = true)]
async fn failover_costs_no_call_when_a_server_is_dead_or_dies() {
    for select in [SelectMode::Random, SelectMode::RoundRobin, SelectMode::LeastPending] {
        let world = World::new();
        let [_a, b] = world.serve_all(["a", "b"]).await;
        // Nobody serves `c`.
        let client = connect(world.builder(&THREE).select(select).fail_mode(FailMode::Failover));
        let client = client.await;
        let mut calls = JoinSet::new();
        for id in 0..50 {
            calls.spawn(client.once(id).start());
        }
        assert!(soon(calls.join_all()).await.into_iter().all(|result| result.is_ok()));
        for id in 50..100 {
            assert_eq!(client.once(id).await.unwrap(), id);
        }
        b.kill().await;
        for id in 100..200 {
            assert_eq!(client.once(id).await.unwrap(), id);
            advance(ms(50)).await;
        }
        assert_eq!(world.ledger.take().len(), 200, "each ran once");
    }
}

#[tokio::test(start_paused = true)]
async fn calls_on_their_way_to_a_server_that_dies_fail_only_if_they_may_not_run_twice() {
    let world = World::new();
    let [a, _b] = world.serve_all(["a", "b"]).await;
    a.set(Mood::Never);
    let client = connect(world.builder(&THREE).fail_mode(FailMode::Failover)).await;
    let once: Vec<_> = (0..10).map(|id| client.once(id).start()).collect();
    let many: Vec<_> = (10..20).map(|id| client.many(id).start()).collect();
    settle().await;
    assert_eq!(world.ledger.counts(["a", "b"]), [20, 0]);
    a.kill().await;
    for call in once {
        assert_eq!(failure(soon(call).await), ("ConnectionLost", Executed::Maybe));
    }
    for (call, id) in many.into_iter().zip(10..) {
        assert_eq!(soon(call).await.unwrap(), id);
    }
    assert_eq!(world.ledger.counts(["a", "b"]), [0, 10]);
}

#[tokio::test(start_paused = true)]
async fn failover_leaves_out_every_server_that_failed_the_call() {
    for wrapped in [false, true] {
        let world = World::new();
        let servers = world.serve_all(["a", "b", "c", "d"]).await;
        servers[0].set(Mood::Never);
        world.network.at("b", Fault::Refused);
        world.network.at("c", Fault::CutReply(0));
        let builder = world.builder(&["a", "b", "c", "d"]).fail_mode(FailMode::Failover);
        let builder = builder.attempt_timeout(ms(100));
        let client = connect(if wrapped { builder.interceptor(Plain) } else { builder }).await;
        let detailed = client.many(1).detailed().await;
        assert_eq!(detailed.result.unwrap(), 1);
        assert_eq!(detailed.address.unwrap().to_string(), world.address("d"));
        assert_eq!(world.network.dialed(), ["a", "b", "c", "d"]);
        assert_eq!(world.ledger.servers(), ["a", "c", "d"]);
    }
}

#[tokio::test(start_paused = true)]
async fn failtry_leaves_its_server_only_if_that_left_the_list() {
    for wrapped in [false, true] {
        let world = World::new();
        let _servers = world.serve_all(["b"]).await;
        let list = world.list(&["a", "b"]);
        let builder = world.builder(&[]).registry(list.clone()).retry_interval(secs(1));
        let client = connect(if wrapped { builder.interceptor(Plain) } else { builder }).await;
        let call = client.once(1).start();
        tokio::time::sleep(ms(1500)).await;
        assert_eq!(world.network.dialed(), ["a", "a"]);
        world.update(&list, &["b"]);
        assert_eq!(soon(call).await.unwrap(), 1);
        assert_eq!(world.network.dialed(), ["b"]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_retry_interval_is_kept_and_nothing_is_waited_for_after_the_last_attempt() {
    for mode in [FailMode::Failtry, FailMode::Failover] {
        for wrapped in [false, true] {
            let world = World::new();
            let builder = world.builder(&THREE).fail_mode(mode).retries(4);
            let builder = builder.retry_interval(ms(250));
            let client = connect(if wrapped { builder.interceptor(Plain) } else { builder }).await;
            let begun = Instant::now();
            assert_eq!(failure(client.once(1).await), ("Connect", Executed::No));
            let ended = begun.elapsed();
            let dials = world.network.dials();
            let times: Vec<_> = dials.iter().map(|(_, at)| *at - begun).collect();
            assert_eq!(times.len(), 5, "{mode}");
            for (place, time) in times.iter().enumerate() {
                let exact = ms(250) * u32::try_from(place).unwrap();
                assert!(*time >= exact && *time < exact + ms(6), "{mode}: {times:?}");
            }
            assert_eq!(ended, times[4], "{mode}");
        }
    }
    // The call's own counts more.
    let world = World::new();
    let client = connect(world.builder(&["a"]).retry_interval(secs(50)).retries(1)).await;
    let begun = Instant::now();
    let call = client.once(1).retry_interval(ms(3));
    assert_eq!(failure(call.await), ("Connect", Executed::No));
    assert!(begun.elapsed() < ms(5), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_takes_too_long_moves_an_idempotent_call_on() {
    for wrapped in [false, true] {
        let world = World::new();
        let [a, _b] = world.serve_all(["a", "b"]).await;
        a.set(Mood::Never);
        let builder = world.builder(&["a", "b"]).fail_mode(FailMode::Failover);
        let builder = builder.attempt_timeout(ms(300));
        let client = connect(if wrapped { builder.interceptor(Plain) } else { builder }).await;
        let begun = Instant::now();
        assert_eq!(client.many(1).await.unwrap(), 1);
        assert!((300..305).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
        assert_eq!(world.ledger.servers(), ["a", "b"]);
        // One that may not run twice ends there, with the time of the attempt.
        let error = client.once(2).await.unwrap_err();
        assert!(
            matches!(error, Error::Timeout { after, executed: Executed::Maybe } if after == ms(300)),
            "{error:?}"
        );
        assert_eq!(world.ledger.servers(), ["a"]);
        let call = client.many(3).attempt_timeout(ms(700)).fail_mode(FailMode::Failfast);
        let error = call.await.unwrap_err();
        assert!(matches!(error, Error::Timeout { after, .. } if after == ms(700)), "{error:?}");
    }
}

/// The server's timer for the attempt and the client's end at the same time.
#[tokio::test(start_paused = true)]
async fn a_server_that_says_that_the_attempt_is_over_is_no_better() {
    for wrapped in [false, true] {
        let world = World::new();
        let [a, _b] = world.serve_all(["a", "b"]).await;
        a.set(Mood::Overtime(ms(298)));
        let builder = world.builder(&["a", "b"]).fail_mode(FailMode::Failover);
        let builder = builder.attempt_timeout(ms(300));
        let client = connect(if wrapped { builder.interceptor(Plain) } else { builder }).await;
        assert_eq!(client.many(1).await.unwrap(), 1);
        assert_eq!(failure(client.once(2).await), ("Timeout", Executed::Maybe));
        // Long before the end it is the service's own text.
        a.set(Mood::Overtime(ms(200)));
        assert_eq!(failure(client.many(3).await), ("Service", Executed::Yes));
    }
}

#[tokio::test(start_paused = true)]
async fn one_deadline_is_over_all_attempts() {
    for mode in [FailMode::Failtry, FailMode::Failover] {
        for wrapped in [false, true] {
            let world = World::new();
            let servers = world.serve_all(THREE).await;
            for server in &servers {
                server.set(Mood::Never);
            }
            let builder = world.builder(&THREE).fail_mode(mode);
            let builder = builder.attempt_timeout(ms(400)).retry_interval(ms(0));
            let builder = if wrapped { builder.interceptor(Plain) } else { builder };
            let client = connect(builder.timeout(secs(1))).await;
            let begun = Instant::now();
            let error = client.many(1).await.unwrap_err();
            let whole = matches!(
                error,
                Error::Timeout { after, executed: Executed::Maybe } if after == secs(1)
            );
            assert!(whole, "{mode} {wrapped}: {error:?}");
            assert!((1000..1003).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
            let told = world.ledger.take().into_iter().map(|run| run.left.unwrap().as_millis());
            let told: Vec<_> = told.collect();
            // Each server hears what is left for it.
            assert_eq!(told.len(), 3, "{mode} {wrapped}: {told:?}");
            for (told, exact) in told.iter().zip([400, 400, 200]) {
                assert!((exact - 5..=exact).contains(told), "{mode} {wrapped}: {told:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_calls_own_time_counts_more_than_the_builders_for_its_attempts_too() {
    for wrapped in [false, true] {
        let world = World::new();
        let [a] = world.serve_all(["a"]).await;
        a.set(Mood::Slow(secs(5)));
        let builder = world.builder(&["a"]).timeout(secs(2));
        let client = connect(if wrapped { builder.interceptor(Plain) } else { builder }).await;
        let result = client.once(1).timeout(secs(10)).await;
        assert_eq!(result.unwrap(), 1, "wrapped={wrapped}");
        let error = client.once(2).await.unwrap_err();
        assert!(matches!(error, Error::Timeout { after, .. } if after == secs(2)), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_timeout_between_attempts_says_what_they_have_done() {
    for wrapped in [false, true] {
        for (fault, executed) in
            [(Fault::Refused, Executed::No), (Fault::CutReply(0), Executed::Maybe)]
        {
            let world = World::new();
            let _servers = world.serve_all(["a"]).await;
            world.network.next([fault]);
            let builder = world.builder(&["a"]).retry_interval(secs(60)).timeout(secs(1));
            let client = connect(if wrapped { builder.interceptor(Plain) } else { builder }).await;
            let result = client.many(1).await;
            assert_eq!(failure(result), ("Timeout", executed), "{fault:?} {wrapped}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn servers_that_refuse_everything_see_little_more_than_the_calls() {
    for (mode, wrapped) in
        [(FailMode::Failtry, false), (FailMode::Failover, false), (FailMode::Failover, true)]
    {
        let world = World::new();
        world.network.always(Fault::Refused);
        let builder = world.builder(&THREE).fail_mode(mode).select(SelectMode::RoundRobin);
        let client = connect(if wrapped { builder.interceptor(Plain) } else { builder }).await;
        let mut calls = JoinSet::new();
        let begun = Instant::now();
        for id in 0..30_000 {
            calls.spawn(client.once(id).start());
            tokio::time::sleep(ms(1)).await;
            while let Some(result) = calls.try_join_next() {
                assert_eq!(failure(result.unwrap()), ("Connect", Executed::No));
            }
        }
        soon(calls.join_all()).await;
        let attempts = world.network.dialed().len();
        let seconds = usize::try_from(begun.elapsed().as_secs()).unwrap() + 1;
        assert!((31..34).contains(&seconds), "{seconds}");
        let most = 30_000 * 12 / 10 + 10 * seconds;
        assert!(attempts <= most, "{mode} {wrapped}: {attempts} of {most}");
        assert!(attempts > 30_000, "{mode} {wrapped}: {attempts}");
    }
}

/// Refuses every call, and counts them.
#[derive(Clone, Default)]
struct Refuses(Arc<AtomicUsize>);

impl Interceptor for Refuses {
    async fn call(&self, _: Incoming, _: Next<'_>) -> Result<Outgoing, Rejection> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Err(Rejection::not_executed("not today"))
    }
}

/// Serves under three names, and refuses every call at each.
async fn refusing(world: &World) -> (Refuses, Vec<Station>) {
    let (refuses, mut stations) = (Refuses::default(), Vec::new());
    for name in THREE {
        let server = world.add_to(Server::new(), name, &Arc::default());
        let server = server.interceptor(refuses.clone());
        stations.push(world.serve_with(name, Arc::default(), server).await);
    }
    (refuses, stations)
}

#[tokio::test(start_paused = true)]
async fn servers_that_say_that_nothing_ran_see_little_more_than_the_calls_either() {
    for mode in [FailMode::Failtry, FailMode::Failover] {
        let world = World::new();
        let (refuses, _stations) = refusing(&world).await;
        let builder = world.builder(&THREE).fail_mode(mode).select(SelectMode::RoundRobin);
        let client = connect(builder).await;
        let mut calls = JoinSet::new();
        let begun = Instant::now();
        for id in 0..30_000 {
            calls.spawn(client.once(id).start());
            tokio::time::sleep(ms(1)).await;
            while let Some(result) = calls.try_join_next() {
                assert_eq!(failure(result.unwrap()), ("NotExecuted", Executed::No));
            }
        }
        soon(calls.join_all()).await;
        let sent = refuses.0.load(Ordering::Relaxed);
        let seconds = usize::try_from(begun.elapsed().as_secs()).unwrap() + 1;
        let most = 30_000 * 12 / 10 + 10 * seconds;
        assert!(sent <= most, "{mode}: {sent} of {most}");
        assert!(sent > 30_000, "{mode}: {sent}");
        assert!(world.ledger.take().is_empty(), "nothing ran");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_is_sent_four_times_at_most_unless_somebody_says_more() {
    let world = World::new();
    let (refuses, _stations) = refusing(&world).await;
    let builder = world.builder(&THREE).retry_budget(RetryBudget::unlimited());
    let client = connect(builder.fail_mode(FailMode::Failtry)).await;
    for (retries, most) in [(None, 4), (Some(0), 1), (Some(6), 7)] {
        let call = client.once(1);
        let call = if let Some(retries) = retries { call.retries(retries) } else { call };
        assert_eq!(failure(call.await), ("NotExecuted", Executed::No));
        assert_eq!(refuses.0.swap(0, Ordering::Relaxed), most, "{retries:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_budget_nothing_is_made_again_but_what_found_its_connection_lost() {
    for mode in MODES {
        for wrapped in [false, true] {
            let world = World::new();
            let _servers = world.serve_all(["a", "b"]).await;
            let builder = world.builder(&["a", "b"]).fail_mode(mode);
            let builder = builder.retry_budget(RetryBudget::new(0.0, 0));
            let client = connect(if wrapped { builder.interceptor(Plain) } else { builder }).await;
            world.network.next([Fault::CutRequest(0)]);
            assert_eq!(client.once(1).await.unwrap(), 1, "{mode} {wrapped}");
            assert_eq!(world.network.dialed(), ["a", "a"], "renewed at the same server");
            world.network.always(Fault::Refused);
            let client = connect(
                world.builder(&["a"]).fail_mode(mode).retry_budget(RetryBudget::new(0.0, 0)),
            );
            let client = client.await;
            assert_eq!(failure(client.many(2).await), ("Connect", Executed::No));
            assert_eq!(world.network.dialed().len(), 1, "{mode} {wrapped}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_that_was_closed_is_opened_again_for_nothing() {
    let world = World::new();
    let budget = RetryBudget::new(0.0, 0);
    let builder = world.builder(&["a"]).fail_mode(FailMode::Failfast).retry_budget(budget);
    let client = connect(builder).await;
    for id in 0..10 {
        let server = world.serve("a").await;
        assert_eq!(client.once(id).await.unwrap(), id);
        server.kill().await;
    }
    assert_eq!(world.network.dialed().len(), 10);
}

#[tokio::test(start_paused = true)]
async fn all_clients_of_a_channel_share_one_budget() {
    let world = World::new();
    world.network.always(Fault::Refused);
    let budget = RetryBudget::new(0.0, 1);
    let client = connect(world.builder(&["a"]).retry_budget(budget)).await;
    let other = client.clone();
    for id in 0..10 {
        let call = client.once(id).into_future();
        failure(soon(call).await);
        failure(soon(other.once(id).into_future()).await);
    }
    // Twenty calls and ten more.
    assert_eq!(world.network.dialed().len(), 30);
}

#[tokio::test(start_paused = true)]
async fn attributes_say_it_where_nobody_else_does() {
    let world = World::new();
    let [a, _b] = world.serve_all(["a", "b"]).await;
    a.set(Mood::Never);
    let builder = ToldClient::builder().connector(world.network.clone()).service("Work");
    let client = connect(builder.registry(world.list(&["a", "b"])).selector(super::world::First));
    let client = client.await;
    let begun = Instant::now();
    assert_eq!(client.many(1).await.unwrap(), 1);
    assert!((150..153).contains(&begun.elapsed().as_millis()), "the trait's attempt timeout");
    assert_eq!(world.ledger.servers(), ["a", "b"]);
    // At least once, but not at two servers at the same time: the method's own mode.
    world.network.next([Fault::Refused; 3]);
    let fresh = ToldClient::builder().connector(world.network.clone()).service("Work");
    let fresh = fresh.registry(world.list(&["b"])).retry(RetryRule::Safe);
    let begun = Instant::now();
    let result = connect(fresh).await.once(2).await;
    assert_eq!(failure(result), ("Connect", Executed::No));
    // One retry, after the method's own interval.
    assert!((40..43).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
}

/// Says everything itself.
#[rpcx::service]
#[rpcx(fail_mode = "failover", attempt_timeout = "150ms", retry = "at_least_once")]
trait Told {
    #[rpcx(idempotent)]
    async fn many(&self, id: i64) -> rpcx::Result<i64>;

    #[rpcx(fail_mode = "failtry", retries = 1, retry_interval = "40ms")]
    async fn once(&self, id: i64) -> rpcx::Result<i64>;
}

/// Says of the trait what `Told` says of a method, and the other way round.
#[rpcx::service]
#[rpcx(fail_mode = "failover", retry = "at_least_once", retries = 1, retry_interval = "30ms")]
#[rpcx(backup_latency = "50ms")]
trait Said {
    async fn once(&self, id: i64) -> rpcx::Result<i64>;

    #[rpcx(idempotent, fail_mode = "failbackup")]
    async fn many(&self, id: i64) -> rpcx::Result<i64>;

    #[rpcx(idempotent, fail_mode = "failbackup", retries = 0)]
    #[rpcx(backup_latency = "80ms", attempt_timeout = "200ms")]
    async fn risk(&self, id: i64) -> rpcx::Result<i64>;
}

#[tokio::test(start_paused = true)]
async fn each_attribute_acts_on_the_trait_and_on_a_method() {
    let world = World::new();
    let [a, b] = world.serve_all(["a", "b"]).await;
    let builder = || {
        let builder = SaidClient::builder().connector(world.network.clone()).service("Work");
        builder.registry(world.list(&["a", "b"])).selector(super::world::First)
    };
    // The trait's rule, mode and interval.
    world.network.next([Fault::CutReply(0)]);
    let client = connect(builder()).await;
    let begun = Instant::now();
    assert_eq!(client.once(1).await.unwrap(), 1);
    assert!((30..33).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
    assert_eq!(world.ledger.servers(), ["a", "b"]);
    // The trait's retries.
    world.network.dialed();
    world.network.always(Fault::Refused);
    let client = connect(builder()).await;
    assert_eq!(failure(client.once(2).await), ("Connect", Executed::No));
    assert_eq!(world.network.dialed(), ["a", "b"]);
    world.network.always(Fault::None);
    // The trait's latency and the method's.
    a.set(Mood::Never);
    let client = connect(builder()).await;
    let begun = Instant::now();
    assert_eq!(client.many(3).await.unwrap(), 3);
    assert!((50..53).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
    let begun = Instant::now();
    assert_eq!(client.risk(4).await.unwrap(), 4);
    assert!((80..83).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
    // The method's attempt timeout: the second request began at 80.
    b.set(Mood::Never);
    let begun = Instant::now();
    assert_eq!(failure(client.risk(5).await), ("Timeout", Executed::Maybe));
    assert!((280..283).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn calls_by_name_have_fail_modes_too() {
    use rpcx::client::Channel;
    use rpcx::reflection::MethodInfo;

    static MANY: MethodInfo = MethodInfo::new("Work", "Many").idempotent();
    let world = World::new();
    let _b = world.serve("b").await;
    let builder = <Channel as rpcx::Client>::builder().connector(world.network.clone());
    let builder = builder.service("Work").registry(world.list(&["a", "b"]));
    let builder = builder.selector(super::world::First).fail_mode(FailMode::Failover);
    let channel = connect(builder).await;
    let reply: i64 = channel.call(&MANY, &7_i64).await.unwrap();
    assert_eq!((reply, world.network.dialed()), (7, vec!["a".to_owned(), "b".to_owned()]));
}
