//! What only peers of this crate do: they say what did not run, what is given up, and who is leaving.

#[path = "support/client.rs"]
#[allow(dead_code, reason = "each test file uses a part")]
mod client;
mod support;

use std::time::Duration;

use rpcx::protocol::{Header, Limits, Message, Peer};
use rpcx::registry::MultipleServers;
use rpcx::{Error, FailMode, Refusal, Server};
use tokio::time::Instant;

use client::{
    ArithClient, Calculator, FakeNetwork, args, error_to, is_pending, lazily, serve, settle,
};
use support::{Answer, Event, Frame, Raw, Running, Tester, Text, memory_address, pack, soon};

fn wait(seq: u64, name: &str) -> Frame {
    Frame::call(seq, "Wait", &Text::new(name))
}

fn waited(seq: u64, name: &str) -> Answer {
    Answer::ok(seq, pack(&Text::new(name)))
}

fn cancel(seq: u64) -> Frame {
    Frame { header: Header::cancel(seq), ..Frame::mul(seq) }
}

const OVERLOADED: &str = "too many calls are running on this connection";

#[tokio::test(start_paused = true)]
async fn a_call_that_a_peer_gives_up_is_dropped_and_no_other() {
    let (service, mut probe) = Tester::gated();
    let running = Running::in_memory(Server::new().add(service)).await;
    let mut raw = Raw::connect(running.address()).await;
    for (seq, name) in [(1, "first"), (2, "second")] {
        raw.send(&wait(seq, name).marked()).await;
        assert_eq!(probe.event().await, Event::started(name));
    }
    raw.send(&cancel(1)).await;
    assert_eq!(probe.event().await, Event::dropped("first"));
    let stopped = "[service internal error]: the handler was stopped";
    assert_eq!(raw.answer().await, Answer::error(1, stopped));
    probe.open("second");
    assert_eq!(raw.answer().await, waited(2, "second"));
}

#[tokio::test(start_paused = true)]
async fn a_call_of_another_client_is_never_given_up() {
    let (service, mut probe) = Tester::gated();
    let running = Running::in_memory(Server::new().add(service)).await;
    let mut raw = Raw::connect(running.address()).await;
    raw.send(&wait(1, "call")).await;
    assert_eq!(probe.event().await, Event::started("call"));
    for seq in [1, 2, u64::MAX] {
        raw.send(&cancel(seq)).await;
    }
    raw.expect_silence().await;
    probe.open("call");
    assert_eq!(raw.answer().await, waited(1, "call"));
}

#[tokio::test(start_paused = true)]
async fn of_calls_with_one_number_the_last_is_given_up() {
    let (service, mut probe) = Tester::gated();
    let running = Running::in_memory(Server::new().add(service)).await;
    let mut raw = Raw::connect(running.address()).await;
    for name in ["first", "second"] {
        raw.send(&wait(1, name).marked()).await;
        assert_eq!(probe.event().await, Event::started(name));
    }
    probe.open("first");
    assert_eq!(probe.event().await, Event::finished("first"));
    assert_eq!(raw.answer().await, waited(1, "first"));
    raw.send(&cancel(1)).await;
    assert_eq!(probe.event().await, Event::dropped("second"));
}

#[tokio::test(start_paused = true)]
async fn a_client_tells_a_peer_which_calls_it_gives_up() {
    let (network, mut peers) = FakeNetwork::new();
    let arith = network.client();
    let (reply, mut peer) = tokio::join!(async { arith.mul(args(6, 7)).await }, async {
        let mut peer = peers.accept().await;
        peer.serve_one(42).await;
        peer
    });
    assert_eq!(reply.unwrap().c, 42);
    let mut call = Box::pin(arith.mul(args(6, 7)).into_future());
    assert!(is_pending(&mut call).await);
    let request = peer.request().await;
    assert_eq!(request.header().peer(), Some(Peer::Client));
    drop(call);
    let notice = peer.request().await;
    assert!(notice.header().is_cancel());
    assert_eq!(notice.header().seq(), request.header().seq());
}

#[tokio::test(start_paused = true)]
async fn a_client_tells_a_go_server_nothing() {
    let (network, mut peers) = FakeNetwork::new();
    let arith = network.client();
    let (reply, mut peer) = tokio::join!(async { arith.mul(args(6, 7)).await }, async {
        let mut peer = peers.accept().await;
        let request = peer.request().await;
        peer.send(&as_go_would(&request, 42)).await;
        peer
    });
    assert_eq!(reply.unwrap().c, 42);
    let mut call = Box::pin(arith.mul(args(6, 7)).into_future());
    assert!(is_pending(&mut call).await);
    peer.request().await;
    drop(call);
    assert!(peer.is_quiet().await);
    // Nor is it asked for signs of life.
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(peer.is_quiet().await);
}

/// Go copies the reserved bits of the request into the response.
fn as_go_would(request: &Message, c: i64) -> Vec<u8> {
    let mut reply = client::reply_to(request, c);
    reply[3] = request.header().encode()[3];
    reply
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_falls_silent_is_found_within_fifteen_seconds() {
    let (network, mut peers) = FakeNetwork::new();
    let arith = network.client();
    let (reply, mut peer) = tokio::join!(async { arith.mul(args(6, 7)).await }, async {
        let mut peer = peers.accept().await;
        peer.serve_one(42).await;
        peer
    });
    assert_eq!(reply.unwrap().c, 42);
    let begun = Instant::now();
    let error = arith.mul(args(6, 7)).fail_mode(FailMode::Failfast).await.unwrap_err();
    assert!(matches!(error, Error::ConnectionLost { .. }), "{error:?}");
    assert_eq!(begun.elapsed().as_secs(), 15);
    peer.request().await;
    assert!(peer.request().await.header().is_heartbeat());
}

#[tokio::test(start_paused = true)]
async fn a_crowded_connection_refuses_calls_after_three_seconds() {
    let (service, mut probe) = Tester::gated();
    let running = Running::in_memory(Server::new().add(service).max_in_flight(1)).await;
    let mut raw = Raw::connect(running.address()).await;
    raw.send(&wait(1, "running")).await;
    assert_eq!(probe.event().await, Event::started("running"));
    let begun = Instant::now();
    for seq in 2..5 {
        raw.send(&wait(seq, "never")).await;
    }
    for seq in 2..5 {
        assert_eq!(raw.answer().await, Answer::refused(seq, OVERLOADED));
    }
    assert_eq!(begun.elapsed().as_secs(), 3);
    let heartbeat = Frame { header: Frame::mul(9).header.with_heartbeat(), ..Frame::mul(9) };
    raw.send(&heartbeat).await;
    assert!(raw.message().await.header().is_heartbeat());
    probe.open("running");
    assert_eq!(raw.answer().await, waited(1, "running"));
    raw.expect_serves().await;
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_not_run_is_made_again_elsewhere() {
    let (network, mut peers) = FakeNetwork::new();
    let servers = MultipleServers::new(["memory@one", "memory@two"]).unwrap();
    let builder = network.builder().registry(servers).fail_mode(FailMode::Failover);
    let arith: ArithClient = builder.connect().await.unwrap();
    let (reply, ()) = tokio::join!(async { arith.mul(args(6, 7)).await }, async {
        let mut first = peers.accept().await;
        let request = first.request().await;
        first.send(&error_to(&request, &refusal("busy"))).await;
        peers.accept().await.serve_one(42).await;
    });
    assert_eq!(reply.unwrap().c, 42);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_says_that_nothing_ran() {
    let (network, mut peers) = FakeNetwork::new();
    let arith = network.client();
    let call = async { arith.mul(args(6, 7)).fail_mode(FailMode::Failfast).await };
    let (reply, ()) = tokio::join!(call, async {
        let mut peer = peers.accept().await;
        let request = peer.request().await;
        peer.send(&error_to(&request, &refusal("busy"))).await;
        settle().await;
    });
    let error = reply.unwrap_err();
    assert_eq!(error.executed(), rpcx::Executed::No);
    let Error::NotExecuted { reason: Refusal::ByServer { why, .. } } = error else {
        panic!("{error:?}")
    };
    assert_eq!(why, "busy");
}

fn refusal(why: &str) -> [(&str, &str); 2] {
    [("__rpcx_error__", why), ("__rpcx_not_executed", why)]
}

#[tokio::test(start_paused = true)]
async fn a_stopping_server_tells_its_peers_and_ends_when_they_left() {
    let (service, mut probe) = Tester::gated();
    let running = Running::in_memory(Server::new().add(service)).await;
    let mut raw = Raw::connect(running.address()).await;
    raw.send(&wait(1, "running").marked()).await;
    assert_eq!(probe.event().await, Event::started("running"));
    let server = running.stop();
    let notice = raw.message().await;
    assert!(notice.header().is_leaving());
    probe.open("running");
    assert_eq!(raw.answer().await, waited(1, "running"));
    let begun = Instant::now();
    drop(raw);
    soon(server).await.unwrap();
    assert!(begun.elapsed().is_zero());
}

#[tokio::test(start_paused = true)]
async fn a_stopping_server_tells_a_client_that_shows_itself_late() {
    let running = Running::in_memory(Server::new().add(Tester::service())).await;
    let mut raw = Raw::connect(running.address()).await;
    raw.expect_serves().await;
    let server = running.stop();
    raw.expect_silence().await;
    assert_eq!(raw.call(&Frame::mul(1).marked()).await, Answer::forty_two(1));
    assert!(raw.message().await.header().is_leaving());
    drop(raw);
    soon(server).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_is_too_long_is_still_one() {
    let (service, mut probe) = Tester::gated();
    let limits = Limits::default().max_message(140);
    let server = Server::new().add(service).max_in_flight(1).limits(limits);
    let running = Running::in_memory(server).await;
    let mut raw = Raw::connect(running.address()).await;
    raw.send(&wait(1, "running")).await;
    assert_eq!(probe.event().await, Event::started("running"));
    raw.send(&wait(2, "never")).await;
    let text = "the error has 164 bytes, the server's limit is 140";
    assert_eq!(raw.answer().await, Answer::refused(2, text));
}

#[tokio::test]
async fn no_call_fails_when_one_of_two_servers_stops() {
    let (one, two) = (memory_address(), memory_address());
    let running = Running::at(&one, Server::new().add(client::ArithServer::new(Calculator))).await;
    serve(Server::new().add(client::ArithServer::new(Calculator)), &two).await;
    let servers = MultipleServers::new([&one, &two]).unwrap();
    let builder = ArithClient::builder().registry(servers).fail_mode(FailMode::Failfast);
    let arith = builder.connect().await.unwrap();
    let mut stopping = None;
    let mut running = Some(running);
    for call in 0..2_000 {
        if call == 500 {
            stopping = running.take().map(Running::stop);
        }
        let reply = arith.mul(args(6, 7)).await.unwrap_or_else(|error| panic!("{call}: {error}"));
        assert_eq!(reply.c, 42);
    }
    soon(stopping.unwrap()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn failtry_makes_a_call_that_was_not_run_at_the_same_server_again() {
    let (network, mut peers) = FakeNetwork::new();
    let arith = network.client();
    let call = async { arith.mul(args(6, 7)).fail_mode(FailMode::Failtry).retries(1).await };
    let (reply, ()) = tokio::join!(call, async {
        let mut peer = peers.accept().await;
        let request = peer.request().await;
        peer.send(&error_to(&request, &refusal("busy"))).await;
        peer.serve_one(42).await;
    });
    assert_eq!(reply.unwrap().c, 42);
}

#[tokio::test(start_paused = true)]
async fn a_peer_is_not_asked_for_signs_of_life_where_the_builder_says_so() {
    let (network, mut peers) = FakeNetwork::new();
    let arith = lazily(network.builder().without_heartbeat());
    let (reply, mut peer) = tokio::join!(async { arith.mul(args(6, 7)).await }, async {
        let mut peer = peers.accept().await;
        peer.serve_one(42).await;
        peer
    });
    assert_eq!(reply.unwrap().c, 42);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(peer.is_quiet().await);
}
