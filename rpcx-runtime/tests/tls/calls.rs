//! What calls can do goes over TLS as it does without.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use rpcx::client::Push;
use rpcx::registry::MultipleServers;
use rpcx::{Bytes, Server};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::watched::{Log, WatchedConnector};
use crate::world::{
    Clerk, DeskClient, Event, Running, World, assert_serves, builder, connect, memory_address, soon,
};

#[tokio::test]
async fn large_payloads_go_both_ways_at_the_same_time() {
    let world = World::new();
    let running = Running::over(world.server()).await;
    let client = connect(&running.address, world.client()).await.unwrap();
    let payloads = (0..8u8).map(|n| Bytes::from(vec![n; (1 << 20) + usize::from(n)]));
    let payloads: Vec<_> = payloads.collect();
    let calls = payloads.iter().map(|data| client.echo(data.clone()).into_future());
    for (reply, data) in soon(join_all(calls)).await.into_iter().zip(&payloads) {
        assert!(reply.unwrap() == *data);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_of_many_callers_do_not_mix() {
    let world = World::new();
    let running = Running::over(world.server()).await;
    let client = connect(&running.address, world.client()).await.unwrap();
    let callers: Vec<_> = (0..32u32)
        .map(|caller| {
            let client = client.clone();
            tokio::spawn(async move {
                for n in 0..50u32 {
                    let data = Bytes::from([caller.to_be_bytes(), n.to_be_bytes()].concat());
                    assert_eq!(client.echo(data.clone()).await.unwrap(), data);
                }
            })
        })
        .collect();
    for caller in callers {
        soon(caller).await.unwrap();
    }
}

#[tokio::test]
async fn calls_that_are_under_way_together_share_writes() {
    let world = World::new();
    let running = Running::over(world.server()).await;
    let log = Arc::new(Log::default());
    let builder = builder().connector(WatchedConnector(Arc::clone(&log))).tls(world.client());
    let client = soon(builder.connect_to(&running.address)).await.unwrap();
    assert_serves(&client).await;
    let [_, before] = log.counts();
    let calls = (0..200).map(|_| client.echo(Bytes::from_static(b"x")).into_future());
    for reply in soon(join_all(calls)).await {
        reply.unwrap();
    }
    let writes = log.counts()[1] - before;
    // The first leaves at once; the others together, and as one record or two.
    assert!(writes <= 4, "{writes} writes");
}

#[tokio::test]
async fn a_call_that_is_given_up_is_dropped_at_the_server() {
    let world = World::new();
    let (service, mut events) = Clerk::new();
    let running =
        Running::at(crate::world::TCP, Server::new().add(service).tls(world.server())).await;
    let client = connect(&running.address, world.client()).await.unwrap();
    assert_serves(&client).await;
    let call = client.hang().start();
    assert_eq!(soon(events.recv()).await, Some(Event::Begun));
    drop(call);
    assert_eq!(soon(events.recv()).await, Some(Event::Dropped));
    assert_serves(&client).await;
}

#[tokio::test]
async fn messages_that_nobody_asked_for_arrive() {
    let world = World::new();
    let running = Running::over(world.server()).await;
    let (sender, mut pushed) = mpsc::unbounded_channel();
    let builder = builder().tls(world.client()).on_push(move |push: Push| {
        let _ = sender.send(push.payload().to_vec());
    });
    let client = soon(builder.connect_to(&running.address)).await.unwrap();
    soon(client.ring().into_future()).await.unwrap();
    assert_eq!(soon(pushed.recv()).await.unwrap(), b"ding");
}

#[tokio::test]
async fn one_call_goes_to_all_servers() {
    let world = World::new();
    let servers = [Running::over(world.server()).await, Running::over(world.server()).await];
    let list = MultipleServers::new(servers.each_ref().map(|one| &one.address)).unwrap();
    let builder = builder().tls(world.client()).registry(list);
    let client: DeskClient = soon(builder.connect()).await.unwrap();
    let data = Bytes::from_static(b"all");
    let receipts = soon(client.echo(data.clone()).inform().into_future()).await.unwrap();
    let replies: Vec<_> = receipts.into_iter().map(|receipt| receipt.result.unwrap()).collect();
    assert_eq!(replies, [data.clone(), data.clone()]);
    let reply = soon(client.echo(data.clone()).broadcast().into_future()).await.unwrap();
    assert_eq!(reply, data);
}

#[tokio::test(start_paused = true)]
async fn heartbeats_are_answered() {
    let world = World::new();
    let (service, mut events) = Clerk::new();
    let server = Server::new().add(service).tls(world.server());
    let running = Running::at(&memory_address(), server).await;
    let tls = world.client().server_name("localhost").unwrap();
    let second = Duration::from_secs(1);
    let builder = builder().tls(tls).heartbeat(second, second);
    let client = soon(builder.connect_to(&running.address)).await.unwrap();
    // It takes an hour, and the connection lives as long: its heartbeats are answered.
    let call = client.hang().timeout(Duration::from_secs(3600)).start();
    assert_eq!(soon(events.recv()).await, Some(Event::Begun));
    let begun = Instant::now();
    assert!(matches!(call.await, Err(rpcx::Error::Timeout { .. })));
    assert_eq!(begun.elapsed().as_secs(), 3600);
    assert_serves(&client).await;
}

#[tokio::test]
async fn a_stopping_server_answers_what_runs_and_says_goodbye() {
    let world = World::new();
    let running = Running::over(world.server()).await;
    let address = running.address.clone();
    let client = connect(&address, world.client()).await.unwrap();
    let data = Bytes::from(vec![1; 1 << 20]);
    let calls: Vec<_> = (0..4).map(|_| client.echo(data.clone()).start()).collect();
    assert_serves(&client).await;
    let stopping = running.stop();
    for call in calls {
        assert!(soon(call).await.unwrap() == data);
    }
    soon(stopping).await.unwrap();
    assert!(connect(&address, world.client()).await.is_err());
}
