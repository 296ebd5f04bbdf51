//! How many connections there are, and when they end.

use std::time::Duration;

use rpcx::{FailMode, SelectMode};
use tokio::time::{Instant, advance, sleep};

use super::network::Fault;
use super::world::{Mood, World, connect, failure, ms, secs, settle, soon};

mod connections_per_server {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn calls_take_them_in_turn() {
        let world = World::new();
        let [a, _b] = world.serve_all(["a", "b"]).await;
        let builder = world.builder(&["a", "b"]).connections_per_server(3).max_in_flight(1);
        let client = connect(builder).await;
        a.set(Mood::Never);
        let calls: Vec<_> = (0..3).map(|id| client.once(id).start()).collect();
        settle().await;
        // Each of them has one for itself, or they would wait for each other.
        assert_eq!(world.ledger.counts(["a", "b"]), [3, 0]);
        assert_eq!((world.network.open("a"), world.network.open("b")), (3, 0));
        let crowded = client.once(3).timeout(ms(10)).await;
        assert_eq!(failure(crowded).0, "Timeout");
        drop(calls);
        a.set(Mood::Well);
        for id in 0..30 {
            assert_eq!(client.once(id).await.unwrap(), id);
        }
        assert_eq!(world.network.dialed(), ["a", "a", "a"]);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_lost_is_opened_again_and_the_others_stay() {
        let world = World::new();
        let _a = world.serve("a").await;
        let client = connect(world.builder(&["a"]).connections_per_server(3)).await;
        world.network.next([Fault::None, Fault::CutReply(0), Fault::None]);
        let results = [client.once(1).await, client.once(2).await, client.once(3).await];
        assert_eq!(results.map(|result| result.is_ok()), [true, false, true]);
        settle().await;
        assert_eq!(world.network.open("a"), 2);
        for id in 0..6 {
            assert_eq!(client.once(id).await.unwrap(), id);
        }
        assert_eq!((world.network.open("a"), world.network.dialed().len()), (3, 4));
        drop(client);
        world.network.closed("a").await;
    }

    #[tokio::test(start_paused = true)]
    async fn there_is_one_by_default_and_never_none() {
        for connections in [None, Some(0), Some(1)] {
            let world = World::new();
            let _a = world.serve("a").await;
            let mut builder = world.builder(&["a"]);
            if let Some(connections) = connections {
                builder = builder.connections_per_server(connections);
            }
            let client = connect(builder).await;
            let calls: Vec<_> = (0..10).map(|id| client.once(id).start()).collect();
            for call in calls {
                call.await.unwrap();
            }
            assert_eq!(world.network.dialed(), ["a"]);
        }
    }
}

mod idle_timeout {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_is_closed_and_the_next_call_opens_another() {
        let world = World::new();
        let _a = world.serve("a").await;
        let builder = world.builder(&["a"]).idle_timeout(secs(10));
        let client = connect(builder.fail_mode(FailMode::Failfast)).await;
        assert_eq!(client.once(1).await.unwrap(), 1);
        let idle = Instant::now();
        world.network.closed("a").await;
        let after = idle.elapsed();
        assert!(after >= secs(10) && after <= ms(20_010), "{after:?}");
        assert_eq!(client.once(2).await.unwrap(), 2);
        assert_eq!(world.network.dialed(), ["a", "a"]);
    }

    #[tokio::test(start_paused = true)]
    async fn however_short_it_leaves_time_for_a_call() {
        let world = World::new();
        let _a = world.serve("a").await;
        let builder = world.builder(&["a"]).idle_timeout(Duration::ZERO);
        let client = connect(builder.fail_mode(FailMode::Failfast)).await;
        for id in 0..100 {
            assert_eq!(client.once(id).await.unwrap(), id);
            sleep(ms(1)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_carries_calls_is_not() {
        let world = World::new();
        let a = world.serve("a").await;
        let client = connect(world.builder(&["a"]).idle_timeout(secs(10))).await;
        for id in 0..20 {
            assert_eq!(client.once(id).await.unwrap(), id);
            sleep(secs(7)).await;
        }
        // Nor is one that waits for a reply.
        a.set(Mood::Slow(secs(500)));
        assert_eq!(client.once(1).await.unwrap(), 1);
        assert_eq!(world.network.dialed(), ["a"]);
    }

    #[tokio::test(start_paused = true)]
    async fn without_it_an_idle_connection_stays() {
        let world = World::new();
        let _a = world.serve("a").await;
        let client = connect(world.builder(&["a"])).await;
        client.once(1).await.unwrap();
        advance(secs(30 * 24 * 3600)).await;
        settle().await;
        assert_eq!(world.network.open("a"), 1);
    }
}

mod removed_servers {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_call_on_its_way_finishes_and_then_the_connection_is_closed() {
        let world = World::new();
        let servers = world.serve_all(["a", "b"]).await;
        servers[0].set(Mood::Slow(secs(5)));
        let list = world.list(&["a", "b"]);
        let client = connect(world.builder(&[]).registry(list.clone())).await;
        let begun = Instant::now();
        let calls: Vec<_> = (0..5).map(|id| client.once(id).start()).collect();
        settle().await;
        world.update(&list, &["b"]);
        settle().await;
        assert_eq!(client.once(9).await.unwrap(), 9);
        assert_eq!(world.ledger.counts(["a", "b"]), [5, 1]);
        assert_eq!(world.network.open("a"), 1);
        for (call, id) in calls.into_iter().zip(0..) {
            assert_eq!(soon(call).await.unwrap(), id);
        }
        assert_eq!(begun.elapsed().as_secs(), 5);
        world.network.closed("a").await;
        assert_eq!(world.network.open("b"), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_is_closed_at_once() {
        let world = World::new();
        let _servers = world.serve_all(["a", "b"]).await;
        let list = world.list(&["a", "b"]);
        let client = connect(world.builder(&[]).registry(list.clone())).await;
        client.once(1).await.unwrap();
        let begun = Instant::now();
        world.update(&list, &["b"]);
        world.network.closed("a").await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
        // One that comes back in time is not closed.
        client.once(2).await.unwrap();
        world.update(&list, &[]);
        world.update(&list, &["b"]);
        settle().await;
        client.once(3).await.unwrap();
        assert_eq!(world.network.dialed(), ["a", "b"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_is_made_again_goes_to_a_server_that_is_listed() {
        let world = World::new();
        let [a, _b] = world.serve_all(["a", "b"]).await;
        a.set(Mood::Never);
        let list = world.list(&["a", "b"]);
        let client = connect(world.builder(&[]).registry(list.clone())).await;
        let call = client.many(1).start();
        settle().await;
        world.update(&list, &["b"]);
        settle().await;
        a.kill().await;
        assert_eq!(soon(call).await.unwrap(), 1);
        assert_eq!(world.network.dialed(), ["a", "b"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_that_flaps_leaves_nothing_behind() {
        let world = World::new();
        let _servers = world.serve_all(["a", "b", "c"]).await;
        let list = world.list(&["a"]);
        let client = connect(world.builder(&[]).registry(list.clone())).await;
        let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
        let mut base = None;
        for id in 0..300 {
            let now = ["a", "b", "c"][id % 3];
            world.update(&list, &[now]);
            settle().await;
            let id = i64::try_from(id).unwrap();
            assert_eq!(client.once(id).await.unwrap(), id);
            settle().await;
            assert_eq!(world.network.open(now), 1);
            base.get_or_insert_with(tasks);
        }
        assert_eq!(Some(tasks()), base);
        assert_eq!((world.network.open("a"), world.network.open("b")), (0, 0));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn calls_go_on_while_a_new_list_is_worked_out() {
        let world = World::new();
        let _servers = world.serve_all(["a", "b"]).await;
        let list = world.list(&["a"]);
        let (entered, seen) = std::sync::mpsc::channel();
        let (open, gate) = std::sync::mpsc::channel::<()>();
        let gate = std::sync::Mutex::new(gate);
        let filter = move |instance: &rpcx::Instance| {
            if super::super::network::name_of(instance.address()) == "b" {
                let _ = entered.send(());
                let _ = gate.lock().unwrap().recv();
            }
            true
        };
        let client = connect(world.builder(&[]).registry(list.clone()).filter(filter)).await;
        world.update(&list, &["a", "b"]);
        tokio::task::spawn_blocking(move || seen.recv()).await.unwrap().unwrap();
        for id in 0..100 {
            assert_eq!(client.once(id).await.unwrap(), id);
        }
        assert_eq!(world.ledger.counts(["a", "b"]), [100, 0]);
        open.send(()).unwrap();
    }
}

mod concurrent_dials {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn many_callers_share_one_dial() {
        let world = World::new();
        let _a = world.serve("a").await;
        world.network.always(Fault::SlowDial(ms(500)));
        let client = connect(world.builder(&["a"])).await;
        let calls: Vec<_> = (0..64).map(|id| client.once(id).start()).collect();
        for (call, id) in calls.into_iter().zip(0..) {
            assert_eq!(soon(call).await.unwrap(), id);
        }
        assert_eq!(world.network.dialed(), ["a"]);
    }

    #[tokio::test(start_paused = true)]
    async fn one_failed_dial_is_the_failure_of_all_that_waited() {
        let world = World::new();
        let _b = world.serve("b").await;
        world.network.at("a", Fault::NoAnswer);
        let builder = world.builder(&["a", "b"]).fail_mode(FailMode::Failover);
        let client = connect(builder).await;
        let begun = Instant::now();
        let calls: Vec<_> = (0..64).map(|id| client.once(id).start()).collect();
        for (call, id) in calls.into_iter().zip(0..) {
            assert_eq!(soon(call).await.unwrap(), id);
        }
        assert_eq!(begun.elapsed().as_secs(), 1, "the connect timeout, once");
        assert_eq!(world.network.dialed(), ["a", "b"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_dial_goes_on_when_its_caller_gives_up() {
        let world = World::new();
        let _a = world.serve("a").await;
        world.network.always(Fault::SlowDial(ms(500)));
        let client = connect(world.builder(&["a"])).await;
        let first = client.once(0).timeout(ms(300)).start();
        settle().await;
        let calls: Vec<_> = (1..64).map(|id| client.once(id).start()).collect();
        assert_eq!(failure(soon(first).await).0, "Timeout");
        for (call, id) in calls.into_iter().zip(1..) {
            assert_eq!(soon(call).await.unwrap(), id);
        }
        assert_eq!(world.network.dialed(), ["a"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_dial_that_hangs_holds_up_no_call_to_another_server() {
        let world = World::new();
        let _servers = world.serve_all(["a", "b"]).await;
        world.network.at("a", Fault::NoAnswer);
        let builder = world.builder(&["a", "b"]).select(SelectMode::RoundRobin);
        let client = connect(builder.fail_mode(FailMode::Failfast)).await;
        let begun = Instant::now();
        let _calls: Vec<_> = (0..20).map(|id| client.once(id).start()).collect();
        settle().await;
        assert_eq!(world.ledger.counts(["a", "b"]), [0, 10]);
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }
}
