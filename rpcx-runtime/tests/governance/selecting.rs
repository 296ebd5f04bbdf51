//! Which server a call goes to, as calls show it.

use std::sync::{Arc, Mutex, PoisonError};

use rpcx::client::selector::{
    Candidate, Closest, ConsistentHash, Selection, Selector, WeightedPing,
};
use rpcx::{Context, Error, Executed, FailMode, Result, SelectMode, Server};
use tokio::time::sleep;

use super::network::{Fault, name_of};
use super::world::{Mood, Station, WorkClient, World, connect, failure, ms, secs, settle};

const THREE: [&str; 3] = ["a", "b", "c"];

/// Makes calls, one after the other; gives the servers as one text.
async fn order(world: &World, client: &WorkClient, calls: i64) -> String {
    for id in 0..calls {
        assert_eq!(client.many(id).await.unwrap(), id);
    }
    world.ledger.servers().concat()
}

#[tokio::test(start_paused = true)]
async fn weights_are_turns() {
    let world = World::new();
    let _servers = world.serve_all(THREE).await;
    let list = world.list(&["a?weight=5", "b?weight=1", "c"]);
    let builder = world.builder(&[]).registry(list.clone());
    let client = connect(builder.select(SelectMode::WeightedRoundRobin)).await;
    assert_eq!(order(&world, &client, 14).await, "aabacaaaabacaa");
    // A later list has other weights; one of weight 0 gets nothing.
    world.update(&list, &["a?weight=0", "b?weight=2", "c?weight=1"]);
    settle().await;
    let mut ran: Vec<_> = order(&world, &client, 30).await.chars().collect();
    ran.sort_unstable();
    let ran: String = ran.into_iter().collect();
    assert_eq!(ran, format!("{}{}", "b".repeat(20), "c".repeat(10)));
}

#[tokio::test(start_paused = true)]
async fn weights_hold_for_those_that_are_left() {
    let world = World::new();
    let _servers = world.serve_all(["a", "c"]).await;
    let list = ["a?weight=3", "b?weight=9", "c?weight=1"];
    let builder = world.builder(&list).select(SelectMode::WeightedRoundRobin);
    let client = connect(builder.fail_mode(FailMode::Failover)).await;
    order(&world, &client, 1).await;
    let ran = order(&world, &client, 40).await;
    assert_eq!(ran.matches('c').count(), 10, "{ran}");
}

/// A service whose calls belong together by one argument.
#[rpcx::service]
#[rpcx(select = "consistent_hash")]
trait Shop {
    async fn order(
        &self,
        context: &Context,
        #[rpcx(hash_key)] user: String,
        item: i64,
    ) -> Result<String>;

    async fn look(&self, item: i64) -> Result<String>;
}

/// Gives its own name.
struct Branch(String);

impl Shop for Branch {
    async fn order(&self, _: &Context, _: String, _: i64) -> Result<String> {
        Ok(self.0.clone())
    }

    async fn look(&self, _: i64) -> Result<String> {
        Ok(self.0.clone())
    }
}

async fn shops(world: &World, names: &[&str]) -> Vec<Station> {
    let mut shops = Vec::new();
    for name in names {
        let server = Server::new().add(ShopServer::new(Branch((*name).to_owned())));
        shops.push(world.serve_with(name, Arc::<Mutex<Mood>>::default(), server).await);
    }
    shops
}

async fn shop(world: &World, names: &[&str]) -> ShopClient {
    let builder = ShopClient::builder().connector(world.network.clone());
    connect(builder.registry(world.list(names))).await
}

#[tokio::test(start_paused = true)]
async fn the_same_key_finds_the_same_server_in_every_client() {
    let world = World::new();
    let names = ["a", "b", "c", "d", "e"];
    let _shops = shops(&world, &names).await;
    let first = shop(&world, &names).await;
    let mut used = std::collections::BTreeSet::new();
    for user in 0..30 {
        let user = format!("user-{user}");
        let home = first.order(user.clone(), 0).await.unwrap();
        for item in 1..4 {
            assert_eq!(first.order(user.clone(), item).await.unwrap(), home);
        }
        // Fresh clients, the list in another order, a future of its own, another codec.
        let fresh = shop(&world, &["d", "b", "e", "a", "c"]).await;
        assert_eq!(fresh.order(user.clone(), 7).await.unwrap(), home);
        assert_eq!(fresh.order(user.clone(), 8).start().await.unwrap(), home);
        let builder = ShopClient::builder().connector(world.network.clone());
        let builder = builder.registry(world.list(&names)).interceptor(super::world::Plain);
        assert_eq!(connect(builder).await.order(user.clone(), 9).await.unwrap(), home);
        used.insert(home);
    }
    assert_eq!(used.len(), names.len(), "{used:?}");
}

#[tokio::test(start_paused = true)]
async fn the_calls_own_key_counts_before_the_argument_and_that_before_all_arguments() {
    let world = World::new();
    let names = ["a", "b", "c", "d", "e"];
    let _shops = shops(&world, &names).await;
    let client = shop(&world, &names).await;
    let mut homes = std::collections::BTreeSet::new();
    for number in 0..30_i64 {
        let key = format!("key-{number}");
        let home = client.look(0).hash_key(&key).await.unwrap();
        assert_eq!(client.look(number).hash_key(&key).await.unwrap(), home);
        let order = client.order(format!("user-{number}"), 1).hash_key(&key);
        assert_eq!(order.await.unwrap(), home, "whatever the method");
        // Without any key, all arguments are one.
        let home_of_all = client.look(number).await.unwrap();
        assert_eq!(client.look(number).await.unwrap(), home_of_all);
        homes.insert(home_of_all);
    }
    assert!(homes.len() > 1, "{homes:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_gone_moves_only_its_own_keys() {
    let world = World::new();
    let names = ["a", "b", "c", "d"];
    let mut shops = shops(&world, &names).await;
    let client = shop(&world, &names).await;
    let mut homes = Vec::new();
    for user in 0..40 {
        homes.push(client.order(format!("user-{user}"), 1).await.unwrap());
    }
    shops.remove(1).kill().await;
    let (mut moved, mut lost) = (0, 0);
    for (user, home) in homes.iter().enumerate() {
        match client.order(format!("user-{user}"), 1).await {
            Ok(now) if now == *home => assert_ne!(home, "b"),
            Ok(_) => {
                assert_eq!(home, "b");
                moved += 1;
            }
            Err(_) => lost += 1,
        }
    }
    // The first one finds out, the others go elsewhere.
    assert_eq!(lost, 1);
    assert!(moved > 2, "{moved}");
}

/// Takes the last one, and writes down what it saw.
#[derive(Clone, Debug, Default)]
struct Last(Arc<Mutex<Vec<String>>>);

impl Selector for Last {
    fn select(&self, candidates: &[Candidate], selection: &Selection<'_>) -> Option<usize> {
        let seen = candidates
            .iter()
            .map(|one| format!("{}:{}:{}", name_of(one.address()), one.metadata(), one.pending()));
        let seen: Vec<_> = seen.collect();
        let (service, method) = (selection.service(), selection.method());
        let line = format!("{service}.{method} {}", seen.join(" "));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        candidates.len().checked_sub(1)
    }
}

#[tokio::test(start_paused = true)]
async fn a_selector_of_ones_own_sees_who_is_there_and_what_is_called() {
    let world = World::new();
    let servers = world.serve_all(THREE).await;
    servers[2].set(Mood::Never);
    let selector = Last::default();
    let list = ["a?weight=2", "b?state=inactive", "c?color=red"];
    let client = connect(world.builder(&list).selector(selector.clone())).await;
    let call = client.many(1).start();
    settle().await;
    servers[2].set(Mood::Well);
    assert_eq!(order(&world, &client, 1).await, "cc");
    client.once(1).await.unwrap();
    drop(call);
    settle().await;
    client.many(1).fail_mode(FailMode::Failover).await.unwrap();
    let seen = std::mem::take(&mut *selector.0.lock().unwrap_or_else(PoisonError::into_inner));
    let expected = [
        "Work.Many a:weight=2:0 c:color=red:0",
        "Work.Many a:weight=2:0 c:color=red:1",
        "Work.Once a:weight=2:0 c:color=red:1",
        "Work.Many a:weight=2:0 c:color=red:0",
    ];
    assert_eq!(seen, expected);
}

/// Answers so.
#[derive(Debug)]
struct Says(Option<usize>);

impl Selector for Says {
    fn select(&self, _: &[Candidate], _: &Selection<'_>) -> Option<usize> {
        self.0
    }
}

#[tokio::test(start_paused = true)]
async fn a_choice_that_is_none_calls_nobody() {
    for answer in [None, Some(3), Some(usize::MAX)] {
        let world = World::new();
        let _servers = world.serve_all(THREE).await;
        let client = connect(world.builder(&THREE).selector(Says(answer))).await;
        for _ in 0..2 {
            match client.many(1).await {
                Err(error @ Error::NoServer { .. }) => {
                    let text = "no server: the selector chose none of 3 servers";
                    assert_eq!(error.to_string(), text);
                    assert_eq!(error.executed(), Executed::No);
                }
                other => panic!("{other:?}"),
            }
        }
        // It is not asked for a call to all.
        let receipts = client.many(1).inform().await.unwrap();
        assert_eq!(receipts.len(), 3);
    }
    let world = World::new();
    let _servers = world.serve_all(THREE).await;
    let client = connect(world.builder(&THREE).selector(Says(Some(2)))).await;
    assert_eq!(order(&world, &client, 3).await, "ccc");
}

/// Without a server there is nothing to choose, and nobody is asked.
#[tokio::test(start_paused = true)]
async fn an_empty_list_asks_no_selector() {
    #[derive(Debug)]
    struct Panics;
    impl Selector for Panics {
        fn select(&self, candidates: &[Candidate], _: &Selection<'_>) -> Option<usize> {
            panic!("asked to choose from {candidates:?}")
        }
    }
    let world = World::new();
    let client = connect(world.builder(&[]).selector(Panics)).await;
    assert_eq!(failure(client.many(1).await), ("NoServer", Executed::No));
}

#[tokio::test(start_paused = true)]
async fn faster_servers_get_more_calls() {
    let world = World::new();
    let _servers = world.serve_all(THREE).await;
    world.network.at("a", Fault::Latency(ms(100)));
    world.network.at("c", Fault::NoAnswer);
    let client = connect(world.builder(&THREE).select(SelectMode::WeightedPing)).await;
    // Its answer comes, or not.
    sleep(secs(5)).await;
    world.network.dialed();
    for id in 0..292 {
        assert_eq!(client.many(id).await.unwrap(), id);
    }
    let [a, b, c] = world.ledger.counts(THREE);
    // 101 and 191 of 292, but for the milliseconds of a timer.
    assert!((98..=104).contains(&a) && (188..=194).contains(&b) && c == 0, "{a} {b} {c}");
    // Measured again, it is as good as the others.
    world.network.at("c", Fault::None);
    sleep(secs(30)).await;
    for id in 0..300 {
        assert_eq!(client.many(id).await.unwrap(), id);
    }
    let [a, b, c] = world.ledger.counts(THREE);
    assert!(b.abs_diff(c) <= 2 && a < b * 2 / 3, "{a} {b} {c}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_the_place_of_another_is_measured_at_once() {
    let world = World::new();
    let _servers = world.serve_all(THREE).await;
    let list = world.list(&["a", "b"]);
    let builder = world.builder(&[]).registry(list.clone());
    let _client = connect(builder.select(SelectMode::WeightedPing)).await;
    settle().await;
    assert_eq!(world.network.dialed(), ["a", "b"]);
    world.update(&list, &["a", "c"]);
    settle().await;
    assert_eq!(world.network.dialed(), ["c"]);
    // The same list again is no news.
    world.update(&list, &["a?weight=2", "c"]);
    settle().await;
    assert!(world.network.dialed().is_empty());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_measured_unless_the_selector_wants_it() {
    for (wants, dials) in [(true, 3), (false, 0)] {
        let world = World::new();
        let _servers = world.serve_all(THREE).await;
        let builder = world.builder(&THREE);
        let builder = if wants {
            builder.selector(WeightedPing::new())
        } else {
            builder.selector(ConsistentHash)
        };
        let client = connect(builder).await;
        sleep(secs(60)).await;
        assert_eq!(world.network.dialed().len(), dials, "the connections are those of the calls");
        drop(client);
        for name in THREE {
            world.network.closed(name).await;
        }
        sleep(secs(60)).await;
        assert!(world.network.dialed().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn the_least_busy_of_two_is_taken() {
    let world = World::new();
    let servers = world.serve_all(["a", "b"]).await;
    servers[0].set(Mood::Never);
    let client = connect(world.builder(&["a", "b"]).select(SelectMode::LeastPending)).await;
    // Sooner or later one goes to `a`, and stays there.
    let calls: Vec<_> = (0..20).map(|id| client.many(id).start()).collect();
    settle().await;
    let [stuck, _] = world.ledger.counts(["a", "b"]);
    assert!(stuck > 0);
    assert_eq!(order(&world, &client, 10).await, "b".repeat(10));
    drop(calls);
}

#[tokio::test(start_paused = true)]
async fn the_closest_server_is_called_and_the_next_one_if_it_cannot_be() {
    let world = World::new();
    let _servers = world.serve_all(["a", "b"]).await;
    let list = [
        "a?latitude=52.5&longitude=13.4",
        "b?latitude=48.9&longitude=2.4",
        "c?latitude=51.5&longitude=-0.1",
    ];
    // From London, where `c` is dead.
    let closest = Closest::new(51.5, -0.1).unwrap();
    let client = connect(world.builder(&list).selector(closest).fail_mode(FailMode::Failover));
    assert_eq!(order(&world, &client.await, 3).await, "bbb");
    assert_eq!(world.network.dialed(), ["c", "b"]);
    let error = world.builder(&list).select(SelectMode::Closest).connect().await.map(drop);
    assert_eq!(failure(error), ("NoServer", Executed::No));
}
