//! What a server does with clients that want too much of it.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rpcx::Server;
use rpcx::protocol::Compression;
use tokio::time::{Instant, advance};

use support::{Answer, Event, Frame, Probe, Raw, Running, Tester, Text, pack};

const TOO_MUCH: &str = "the server holds too many bytes of requests";

/// More than a connection may hold in any case.
const LARGE: usize = 100_000;
/// What it may hold.
const FREE: usize = 32 << 10;

fn wait(seq: u64, name: &str) -> Frame {
    Frame::call(seq, "Wait", &Text::new(name))
}

fn echo(seq: u64, size: usize) -> Frame {
    Frame::echo(seq, vec![1; size])
}

fn echoed(seq: u64, size: usize) -> Answer {
    Answer::ok(seq, vec![1; size])
}

fn heartbeat(seq: u64) -> Frame {
    Frame { header: Frame::mul(seq).header.with_heartbeat(), ..Frame::mul(seq) }
}

/// A server whose budget is used up by two calls of one connection: the connection and the name of the
/// first, which is the larger by far.
async fn exhausted() -> (Running, Raw, Probe, String) {
    let (service, mut probe) = Tester::gated();
    let server = Server::new().add(service).max_request_bytes(LARGE);
    let running = Running::in_memory(server).await;
    let mut raw = Raw::connect(running.address()).await;
    // All but a few bytes, and then the last ones.
    let name = "x".repeat(FREE + LARGE - 200);
    for (seq, name) in [(1, &*name), (2, "small")] {
        raw.send(&wait(seq, name)).await;
        assert_eq!(probe.event().await, Event::started(name));
    }
    (running, raw, probe, name)
}

#[tokio::test(start_paused = true)]
async fn small_calls_go_on_while_the_budget_is_used_up() {
    let (running, _raw, _probe, _) = exhausted().await;
    let mut other = Raw::connect(running.address()).await;
    let begun = Instant::now();
    for seq in 0..100 {
        assert_eq!(other.call(&echo(seq, 10_000)).await, echoed(seq, 10_000));
    }
    other.send(&heartbeat(1)).await;
    assert!(other.message().await.header().is_heartbeat());
    assert!(begun.elapsed().is_zero());
}

#[tokio::test(start_paused = true)]
async fn a_large_call_waits_while_the_budget_is_used_up() {
    let (running, mut raw, probe, name) = exhausted().await;
    let mut other = Raw::connect(running.address()).await;
    let late = tokio::spawn(async move {
        let begun = Instant::now();
        assert_eq!(other.call(&echo(1, LARGE)).await, echoed(1, LARGE));
        begun.elapsed()
    });
    tokio::time::sleep(Duration::from_secs(2)).await;
    probe.open(&name);
    assert_eq!(raw.answer().await, Answer::ok(1, pack(&Text::new(&name))));
    let waited = late.await.unwrap();
    assert!(waited >= Duration::from_secs(2) && waited < Duration::from_secs(3), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_large_call_that_has_waited_long_is_refused_before_it_has_come() {
    let (running, mut raw, probe, name) = exhausted().await;
    let mut other = Raw::connect(running.address()).await;
    let begun = Instant::now();
    let frame = echo(7, LARGE).encode();
    let (first, rest) = frame.split_at(LARGE / 2);
    other.send_bytes(first).await;
    assert_eq!(other.answer().await, Answer::refused(7, TOO_MUCH));
    assert_eq!(begun.elapsed().as_secs(), 3);
    // What is still to come of it passes, and the connection goes on.
    other.send_bytes(rest).await;
    other.expect_serves().await;
    other.send(&heartbeat(8)).await;
    assert!(other.message().await.header().is_heartbeat());

    // The connection that holds it all is refused more, too, and is answered what it has.
    let begun = Instant::now();
    raw.send(&heartbeat(4)).await;
    assert!(raw.message().await.header().is_heartbeat());
    assert_eq!(raw.call(&Frame::mul(3)).await, Answer::refused(3, TOO_MUCH));
    assert!(begun.elapsed() <= Duration::from_secs(3));
    probe.open(&name);
    assert_eq!(raw.answer().await, Answer::ok(1, pack(&Text::new(&name))));
    raw.expect_serves().await;
    assert_eq!(other.call(&echo(9, LARGE)).await, echoed(9, LARGE));
}

#[tokio::test(start_paused = true)]
async fn beginnings_of_messages_count() {
    let server = Server::new().add(Tester::service()).max_request_bytes(LARGE);
    let running = Running::in_memory(server).await;
    let frame = echo(7, LARGE).encode();
    let (first, rest) = frame.split_at(60_000);
    let mut clients = Vec::new();
    for _ in 0..4 {
        let mut raw = Raw::connect(running.address()).await;
        raw.send_bytes(first).await;
        clients.push(raw);
    }
    let mut other = Raw::connect(running.address()).await;
    other.expect_serves().await;
    // What all of them want is too much, and what one of them wants is not.
    let mut refused = 0;
    for raw in &mut clients {
        raw.send_bytes(rest).await;
        let answer = raw.answer().await;
        if answer == Answer::refused(7, TOO_MUCH) {
            refused += 1;
        } else {
            assert_eq!(answer, echoed(7, LARGE));
        }
        raw.expect_serves().await;
    }
    assert!((1..4).contains(&refused), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn every_call_that_runs_counts() {
    let (service, mut probe) = Tester::gated();
    // 32 KiB are free, and each call counts as 1 KiB.
    let server = Server::new().add(service).max_request_bytes(32 << 10);
    let running = Running::in_memory(server).await;
    let mut raw = Raw::connect(running.address()).await;
    for seq in 0..64 {
        raw.send(&wait(seq, "call")).await;
        assert_eq!(probe.event().await, Event::started("call"));
    }
    let begun = Instant::now();
    assert_eq!(raw.call(&wait(64, "late")).await, Answer::refused(64, TOO_MUCH));
    assert_eq!(begun.elapsed().as_secs(), 3);
    assert_eq!(probe.seen(), []);
    Raw::connect(running.address()).await.expect_serves().await;
    probe.open("call");
    for _ in 0..64 {
        assert!(raw.answer().await.result.is_ok());
    }
    raw.expect_serves().await;
}

#[tokio::test(start_paused = true)]
async fn oneway_calls_count_also_when_their_client_has_left() {
    let (service, mut probe) = Tester::gated();
    let server = Server::new().add(service).max_request_bytes(LARGE);
    let running = Running::in_memory(server).await;
    let name = "x".repeat(FREE + LARGE - 200);
    let mut raw = Raw::connect(running.address()).await;
    for name in [&*name, "small"] {
        raw.send(&wait(1, name).oneway()).await;
        assert_eq!(probe.event().await, Event::started(name));
    }
    drop(raw);

    // Others that come and go would add up, so even small ones wait, and are dropped in the end.
    let mut other = Raw::connect(running.address()).await;
    let begun = Instant::now();
    other.send(&wait(2, "dropped").oneway()).await;
    other.expect_serves().await;
    assert_eq!(begun.elapsed().as_secs(), 3);
    assert_eq!(probe.seen(), []);

    probe.open(&name);
    assert_eq!(probe.event().await, Event::finished(&name));
    other.send(&wait(3, "taken").oneway()).await;
    assert_eq!(probe.event().await, Event::started("taken"));
}

#[tokio::test(start_paused = true)]
async fn the_budget_is_whole_again_whatever_became_of_calls() {
    let (running, raw, mut probe, name) = exhausted().await;
    drop(raw);
    let mut ends = [probe.event().await, probe.event().await];
    ends.sort();
    assert_eq!(ends, [Event::dropped("small"), Event::dropped(&name)]);
    let mut other = Raw::connect(running.address()).await;
    for seq in 0..20 {
        // Given up in the middle of a message, cut, and failed.
        let mut raw = Raw::connect(running.address()).await;
        raw.send_bytes(&echo(seq, LARGE).encode()[..LARGE / 2]).await;
        drop(raw);
        let broken = echo(seq, LARGE).compressed(Compression::GZIP);
        assert!(other.call(&broken).await.result.is_err());
        assert_eq!(other.call(&echo(seq, LARGE)).await, echoed(seq, LARGE));
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_whose_first_bytes_come_one_by_one_is_not_waited_for() {
    let running = Running::in_memory(Server::new().add(Tester::service())).await;
    let mut raw = Raw::connect(running.address()).await;
    let begun = Instant::now();
    for byte in Frame::mul(1).encode() {
        if !raw.try_send_bytes(&[byte]).await {
            break;
        }
        advance(Duration::from_secs(1)).await;
    }
    assert!(begun.elapsed() < Duration::from_secs(13), "{:?}", begun.elapsed());
    raw.expect_end().await;
}

#[tokio::test(start_paused = true)]
async fn answers_that_wait_hold_back_calls_that_have_come_already() {
    const CALLS: u64 = 400;
    let ran = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&ran);
    let server = Server::new().bytes_function("Large", "Get", move |_, _| {
        counter.fetch_add(1, Ordering::Relaxed);
        async { Ok(vec![1; 1 << 20].into()) }
    });
    let running = Running::in_memory(server).await;
    let mut raw = Raw::connect(running.address()).await;
    let call = |seq| Frame { path: b"Large".to_vec(), method: b"Get".to_vec(), ..Frame::mul(seq) };
    let calls: Vec<u8> = (0..CALLS).flat_map(|seq| call(seq).encode()).collect();
    raw.send_bytes(&calls).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    // 4 MiB, and what the transport takes.
    let early = ran.load(Ordering::Relaxed);
    assert!(early <= 9, "{early} calls ran while nobody took their answers");
    for seq in 0..CALLS {
        assert_eq!(raw.message().await.header().seq(), seq);
    }
}
