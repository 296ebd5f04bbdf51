//! How a client connects, what it makes of a lost connection, and when it closes one.
#![cfg(feature = "macros")]

use std::collections::HashMap;
use std::future::IntoFuture as _;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use rpcx::client::{Channel, Started};
use rpcx::transport::{ConnectFuture, Connector, Duplex};
use rpcx::{Address, Client as _, Error, Executed, FailMode};
use tokio::io::AsyncWrite;
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tokio::time::Instant;

#[path = "support/client.rs"]
#[allow(dead_code, reason = "each test file uses a part")]
mod support;

use support::{
    ADDRESS, Args, ArithClient, ArithServer, Calculator, Dial, FakeNetwork, Peers, Reply, args,
    lazily, serve, settle, soon,
};

/// Takes `ConnectionLost` apart.
#[track_caller]
fn lost<T: std::fmt::Debug>(result: rpcx::Result<T>) -> Executed {
    match result {
        Err(Error::ConnectionLost { address, executed }) => {
            assert_eq!(address.to_string(), ADDRESS);
            executed
        }
        other => panic!("expected a lost connection, got {other:?}"),
    }
}

/// Takes `Connect` apart.
#[track_caller]
fn refused<T: std::fmt::Debug>(result: rpcx::Result<T>) -> (String, std::io::ErrorKind) {
    match result {
        Err(error @ Error::Connect { .. }) => {
            assert_eq!(error.executed(), Executed::No);
            let Error::Connect { address, source } = error else { unreachable!("matched above") };
            (address.to_string(), source.kind())
        }
        other => panic!("expected a failed dial, got {other:?}"),
    }
}

#[tokio::test]
async fn a_refused_tcp_address_is_a_connect_error_and_nothing_ran() {
    // Bound and not listened on: nobody else gets the port, and nobody answers.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = format!("tcp@{}", socket.local_addr().unwrap());
    let result = soon(Channel::connect_to(&address)).await;
    assert_eq!(refused(result), (address, std::io::ErrorKind::ConnectionRefused));
}

#[tokio::test]
async fn an_unknown_memory_name_is_a_connect_error_and_nothing_ran() {
    let result = soon(Channel::connect_to("memory@nobody-has-this-name")).await;
    let address = "memory@nobody-has-this-name".to_owned();
    assert_eq!(refused(result), (address, std::io::ErrorKind::ConnectionRefused));
}

#[tokio::test]
async fn a_text_that_is_no_address_is_an_address_error_and_nothing_ran() {
    for error in [
        ArithClient::connect_to("pigeon@loft").await.unwrap_err(),
        ArithClient::builder().connect_lazily("pigeon@loft").unwrap_err(),
    ] {
        assert!(matches!(error, Error::Address(_)), "{error:?}");
        assert_eq!(error.executed(), Executed::No);
        let text =
            "\"pigeon@loft\" is no address: unknown network `pigeon` (known: tcp, unix, memory)";
        assert_eq!(error.to_string(), text);
    }
}

#[tokio::test]
async fn connect_to_connects_at_once() {
    let (network, mut peers) = FakeNetwork::new();
    let client = network.builder().connect_to(ADDRESS).await.unwrap();
    assert_eq!(network.dials(), 1);
    let mut peer = peers.accept().await;
    let (reply, ()) = tokio::join!(client.mul(args(2, 3)).into_future(), peer.serve_one(6));
    assert_eq!((reply.unwrap(), network.dials()), (Reply { c: 6 }, 1));
}

#[tokio::test]
async fn a_lazy_client_connects_with_its_first_call() {
    let (network, mut peers) = FakeNetwork::new();
    let client = network.client();
    settle().await;
    assert_eq!(network.dials(), 0);
    let call = client.mul(args(2, 3)).start();
    let mut peer = peers.accept().await;
    peer.serve_one(6).await;
    assert_eq!((soon(call).await.unwrap(), network.dials()), (Reply { c: 6 }, 1));
}

#[tokio::test]
async fn a_lazy_client_can_be_made_before_its_server() {
    let client = ArithClient::builder().connect_lazily("memory@made-before").unwrap();
    assert_eq!(refused(soon(client.mul(args(2, 3)).into_future()).await).0, "memory@made-before");
    let server = rpcx::Server::new().add(ArithServer::new(Calculator));
    serve(server, "memory@made-before").await;
    assert_eq!(soon(client.mul(args(2, 3)).into_future()).await.unwrap(), Reply { c: 6 });
}

#[tokio::test]
async fn a_call_that_was_sent_when_the_connection_ended_may_have_run() {
    let (network, mut peers) = FakeNetwork::new();
    let client = network.client();
    let call = client.mul(args(2, 3)).start();
    let mut peer = peers.accept().await;
    peer.request().await;
    drop(peer);
    assert_eq!(lost(soon(call).await), Executed::Maybe);
    assert_eq!(network.dials(), 1);
}

#[tokio::test]
async fn a_call_of_which_one_byte_was_sent_may_have_run() {
    let (network, mut peers) = FakeNetwork::with_buffer(1);
    let client = network.client();
    let call = client.mul(args(2, 3)).start();
    let peer = peers.accept().await;
    settle().await;
    drop(peer);
    assert_eq!(lost(soon(call).await), Executed::Maybe);
    assert_eq!(network.dials(), 1);
}

#[tokio::test]
async fn a_call_of_which_no_byte_was_sent_did_not_run() {
    let (network, mut peers) = FakeNetwork::new();
    let client = network.client();
    network.gate().close();
    let call = client.mul(args(2, 3)).start();
    // Safe to repeat, so it is, once.
    for _ in 0..2 {
        let peer = peers.accept().await;
        settle().await;
        drop(peer);
    }
    assert_eq!(lost(soon(call).await), Executed::No);
    assert_eq!(network.dials(), 2);
}

#[tokio::test]
async fn a_call_that_no_byte_was_sent_of_is_repeated_although_it_may_not_run_twice() {
    let (network, mut peers) = FakeNetwork::new();
    let client = network.client();
    network.gate().close();
    let call = client.mul(args(2, 3)).start();
    let peer = peers.accept().await;
    network.gate().met().await;
    settle().await;
    drop(peer);
    let mut second = peers.accept().await;
    network.gate().open();
    second.serve_one(6).await;
    assert_eq!(soon(call).await.unwrap(), Reply { c: 6 });
    assert!(second.is_quiet().await);
}

#[tokio::test]
async fn a_call_whose_write_failed_before_its_first_byte_is_repeated() {
    let (network, mut peers) = FakeNetwork::new();
    let client = network.client();
    network.script([Dial::ClosedAtOnce]);
    let call = client.mul(args(2, 3)).start();
    let mut second = peers.accept().await;
    second.serve_one(6).await;
    assert_eq!((soon(call).await.unwrap(), network.dials()), (Reply { c: 6 }, 2));
}

#[tokio::test]
async fn a_call_queued_behind_one_that_was_sent_in_part_is_repeated_and_that_one_is_not() {
    let (network, mut peers) = FakeNetwork::with_buffer(8);
    let client = network.client();
    let first = client.mul(args(2, 3)).start();
    let peer = peers.accept().await;
    settle().await;
    let second = client.mul(args(4, 5)).start();
    settle().await;
    drop(peer);
    assert_eq!(lost(soon(first).await), Executed::Maybe);
    let mut peer = peers.accept().await;
    let request = peer.request().await;
    assert_eq!(support::sent_args(&request), args(4, 5));
    peer.reply(&request, 20).await;
    assert_eq!(soon(second).await.unwrap(), Reply { c: 20 });
    assert_eq!(network.dials(), 2);
}

#[tokio::test]
async fn a_lost_connection_is_opened_again_by_the_next_call() {
    let (network, mut peers) = FakeNetwork::new();
    let client = network.client();
    for round in 1..=3 {
        let call = client.mul(args(2, round)).start();
        let mut peer = peers.accept().await;
        peer.serve_one(2 * round).await;
        assert_eq!(soon(call).await.unwrap(), Reply { c: 2 * round });
        drop(peer);
        settle().await;
    }
    assert_eq!(network.dials(), 3);
}

#[tokio::test]
async fn an_idempotent_call_outlives_a_lost_tcp_connection() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("tcp@{}", listener.local_addr().unwrap());
    let client = soon(ArithClient::connect_to(&address)).await.unwrap();
    drop(soon(listener.accept()).await.unwrap());
    drop(listener);
    // Another server takes the port over, as after a restart.
    serve(rpcx::Server::new().add(ArithServer::new(Calculator)), &address).await;
    assert_eq!(soon(client.add(args(2, 3)).into_future()).await.unwrap(), Reply { c: 5 });
}

#[tokio::test]
async fn an_idempotent_call_is_repeated_over_a_new_connection() {
    let (network, mut peers) = FakeNetwork::new();
    let client = network.retrying_client();
    let call = client.add(args(2, 3)).start();
    let mut first = peers.accept().await;
    assert_eq!(support::sent_args(&first.request().await), args(2, 3));
    drop(first);
    let mut second = peers.accept().await;
    let request = second.request().await;
    assert_eq!(support::sent_args(&request), args(2, 3));
    second.reply(&request, 5).await;
    assert_eq!((soon(call).await.unwrap(), network.dials()), (Reply { c: 5 }, 2));
}

#[tokio::test]
async fn an_idempotent_call_is_repeated_only_once() {
    let (network, mut peers) = FakeNetwork::new();
    let client = network.retrying_client();
    let call = client.add(args(2, 3)).start();
    for _ in 0..2 {
        peers.accept().await.request().await;
    }
    assert_eq!(lost(soon(call).await), Executed::Maybe);
    assert_eq!(network.dials(), 2);
}

#[tokio::test]
async fn a_call_that_may_have_run_is_not_repeated_and_the_next_one_is_sent() {
    let (network, mut peers) = FakeNetwork::new();
    let client = network.client();
    let call = client.mul(args(2, 3)).start();
    peers.accept().await.request().await;
    assert_eq!(lost(soon(call).await), Executed::Maybe);
    settle().await;
    assert_eq!(network.dials(), 1);
    let next = client.mul(args(4, 5)).start();
    let mut peer = peers.accept().await;
    let request = peer.request().await;
    assert_eq!(support::sent_args(&request), args(4, 5));
    peer.reply(&request, 20).await;
    assert_eq!(soon(next).await.unwrap(), Reply { c: 20 });
}

#[tokio::test]
async fn a_server_that_closes_every_connection_at_once_ends_the_call_after_a_few_dials() {
    let (network, _peers) = FakeNetwork::new();
    let client = network.client();
    network.script([Dial::ClosedAtOnce; 100]);
    assert_eq!(lost(soon(client.mul(args(2, 3)).into_future()).await), Executed::No);
    assert!((2..=6).contains(&network.dials()), "{} dials", network.dials());
}

#[tokio::test]
async fn a_server_that_takes_requests_and_closes_ends_an_idempotent_call_too() {
    let (network, mut peers) = FakeNetwork::new();
    let client = network.retrying_client();
    let server = tokio::spawn(async move {
        loop {
            peers.accept().await.request().await;
        }
    });
    assert_eq!(lost(soon(client.add(args(2, 3)).into_future()).await), Executed::Maybe);
    assert_eq!(network.dials(), 2);
    server.abort();
}

#[tokio::test]
async fn calls_that_need_a_connection_at_the_same_time_share_one_dial() {
    let (network, mut peers) = FakeNetwork::new();
    network.script([Dial::Held]);
    let client = network.client();
    let mut calls = JoinSet::new();
    for n in 0..20 {
        calls.spawn(client.mul(args(n, 2)).start());
    }
    settle().await;
    network.release_dial();
    let mut peer = peers.accept().await;
    for _ in 0..20 {
        let request = peer.request().await;
        let Args { a, b } = support::sent_args(&request);
        peer.reply(&request, a * b).await;
    }
    let mut replies: Vec<_> =
        soon(calls.join_all()).await.into_iter().map(|reply| reply.unwrap().c).collect();
    replies.sort_unstable();
    assert_eq!(replies, (0..20).map(|n| 2 * n).collect::<Vec<_>>());
    assert_eq!(network.dials(), 1);
}

#[tokio::test]
async fn a_failed_dial_fails_all_calls_that_waited_for_it_and_no_later_one() {
    let (network, mut peers) = FakeNetwork::new();
    network.script([Dial::HeldThenRefused]);
    let client = network.client();
    let mut calls = JoinSet::new();
    for n in 0..20 {
        calls.spawn(client.mul(args(n, 2)).start());
    }
    settle().await;
    network.release_dial();
    for result in soon(calls.join_all()).await {
        let kind = std::io::ErrorKind::ConnectionRefused;
        assert_eq!(refused(result), (ADDRESS.to_owned(), kind));
    }
    assert_eq!(network.dials(), 1);
    let later = client.mul(args(2, 3)).start();
    peers.accept().await.serve_one(6).await;
    assert_eq!((soon(later).await.unwrap(), network.dials()), (Reply { c: 6 }, 2));
}

#[tokio::test]
async fn a_dial_goes_on_when_its_caller_gives_up() {
    let (network, mut peers) = FakeNetwork::new();
    network.script([Dial::Held]);
    let client = network.client();
    let first = client.mul(args(1, 1)).start();
    settle().await;
    let second = client.mul(args(2, 3)).start();
    settle().await;
    drop(first);
    network.release_dial();
    let mut peer = peers.accept().await;
    let request = peer.request().await;
    assert_eq!(support::sent_args(&request), args(2, 3));
    peer.reply(&request, 6).await;
    assert_eq!((soon(second).await.unwrap(), network.dials()), (Reply { c: 6 }, 1));
}

#[tokio::test(start_paused = true)]
async fn connecting_ends_after_the_connect_timeout_one_second_by_default() {
    let (network, _peers) = FakeNetwork::new();
    network.script([Dial::NoAnswer; 3]);
    for (builder, seconds) in
        [(network.builder(), 1), (network.builder().connect_timeout(Duration::from_secs(7)), 7)]
    {
        let start = Instant::now();
        let result = builder.connect_to(ADDRESS).await;
        assert_eq!(refused(result), (ADDRESS.to_owned(), std::io::ErrorKind::TimedOut));
        assert_eq!(start.elapsed().as_secs(), seconds);
    }
    let result = network.client().mul(args(2, 3)).await;
    assert_eq!(refused(result), (ADDRESS.to_owned(), std::io::ErrorKind::TimedOut));
}

#[tokio::test(start_paused = true)]
async fn the_timeout_of_a_call_counts_while_it_connects_and_it_did_not_run() {
    let (network, _peers) = FakeNetwork::new();
    network.script([Dial::NoAnswer]);
    let client = lazily(network.builder().connect_timeout(Duration::from_secs(10)));
    let start = Instant::now();
    let error = client.mul(args(2, 3)).timeout(Duration::from_secs(2)).await.unwrap_err();
    let Error::Timeout { after, executed } = error else { panic!("{error:?}") };
    assert_eq!((after, executed), (Duration::from_secs(2), Executed::No));
    assert_eq!(start.elapsed().as_secs(), 2);
}

#[tokio::test]
async fn the_connection_is_closed_when_the_last_client_is_dropped() {
    let (network, mut peers) = FakeNetwork::new();
    let client = network.builder().connect_to(ADDRESS).await.unwrap();
    let mut peer = peers.accept().await;
    let clone = client.clone();
    let other = ArithClient::new(support::channel(&client));
    drop(client);
    drop(clone);
    assert!(peer.is_quiet().await);
    let call = other.mul(args(2, 3)).start();
    peer.serve_one(6).await;
    assert_eq!(soon(call).await.unwrap(), Reply { c: 6 });
    drop(other);
    assert!(peer.next().await.is_none());
}

#[tokio::test]
async fn the_last_client_dropped_closes_a_tcp_connection() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("tcp@{}", listener.local_addr().unwrap());
    let client = soon(ArithClient::connect_to(&address)).await.unwrap();
    let (mut stream, _) = soon(listener.accept()).await.unwrap();
    drop(client);
    let mut rest = Vec::new();
    let read = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest);
    assert_eq!(soon(read).await.unwrap(), 0);
}

#[tokio::test]
async fn a_started_call_keeps_the_connection_until_its_reply() {
    let (network, mut peers) = FakeNetwork::new();
    let client = network.client();
    let call = client.mul(args(2, 3)).start();
    drop(client);
    let mut peer = peers.accept().await;
    peer.serve_one(6).await;
    assert_eq!(soon(call).await.unwrap(), Reply { c: 6 });
    assert!(peer.next().await.is_none());
}

#[tokio::test]
async fn a_started_call_that_is_dropped_lets_the_connection_close() {
    let (network, mut peers) = FakeNetwork::new();
    let client = network.client();
    let call = client.mul(args(2, 3)).start();
    drop(client);
    let mut peer = peers.accept().await;
    peer.request().await;
    drop(call);
    assert!(peer.next().await.is_none());
}

#[test]
fn the_end_of_the_runtime_that_connected_fails_the_calls_that_wait() {
    let (network, mut peers) = FakeNetwork::new();
    let first = Builder::new_current_thread().enable_all().build().unwrap();
    let second = Builder::new_current_thread().enable_all().build().unwrap();
    let client = first.block_on(async {
        let client = network.builder().connect_to(ADDRESS).await.unwrap();
        settle().await;
        client
    });
    second.block_on(async {
        let mut peer = peers.accept().await;
        let call = client.mul(args(2, 3)).start();
        peer.request().await;
        drop_runtime(first).await;
        assert_eq!(lost(soon(call).await), Executed::Maybe);
        let next = client.mul(args(2, 3)).start();
        peers.accept().await.serve_one(6).await;
        assert_eq!(soon(next).await.unwrap(), Reply { c: 6 });
    });
}

#[test]
fn a_runtime_that_ended_right_after_connecting_does_not_leave_calls_waiting() {
    let (network, mut peers) = FakeNetwork::new();
    let first = Builder::new_current_thread().enable_all().build().unwrap();
    let second = Builder::new_current_thread().enable_all().build().unwrap();
    let client = first.block_on(network.builder().connect_to(ADDRESS)).unwrap();
    drop(first);
    second.block_on(async {
        let _orphan = peers.accept().await;
        let call = client.mul(args(2, 3)).start();
        peers.accept().await.serve_one(6).await;
        assert_eq!(soon(call).await.unwrap(), Reply { c: 6 });
    });
}

#[test]
fn a_started_call_is_cancelled_by_the_end_of_its_runtime() {
    let (network, _peers) = FakeNetwork::new();
    let first = Builder::new_current_thread().enable_all().build().unwrap();
    let second = Builder::new_current_thread().enable_all().build().unwrap();
    let client = network.client();
    let call: Started<Reply, Error> = {
        let _inside = first.enter();
        client.mul(args(2, 3)).start()
    };
    first.block_on(settle());
    drop(first);
    let error = second.block_on(soon(call)).unwrap_err();
    let Error::Cancelled { executed } = error else { panic!("{error:?}") };
    assert_eq!(executed, Executed::Maybe);
}

/// What became of a call at the scripted server: how often it ran.
type Ledger = Arc<Mutex<HashMap<i64, u32>>>;

/// Executes what comes; every eighth request or so ends the connection, answered or not.
async fn unreliable(mut peers: Peers, ledger: Ledger, mut seed: u64) {
    loop {
        let mut peer = peers.accept().await;
        while let Some(request) = peer.next().await {
            let Args { a, b } = support::sent_args(&request);
            *ledger.lock().unwrap().entry(a).or_default() += 1;
            let reply = support::reply_to(&request, a * b);
            // Knuth's MMIX generator: the same numbers in every run.
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            match seed >> 60 {
                0 => break,
                1 => {
                    peer.send(&reply[..reply.len() / 2]).await;
                    break;
                }
                2 => {
                    peer.send(&reply).await;
                    break;
                }
                _ => peer.send(&reply).await,
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_callers_are_told_agrees_with_what_ran_over_connections_that_break() {
    for buffer in [20, 100, 1 << 20] {
        let (network, peers) = FakeNetwork::with_buffer(buffer);
        let ledger = Ledger::default();
        let server = tokio::spawn(unreliable(peers, Arc::clone(&ledger), 17));
        let builder = network.builder().fail_mode(FailMode::Failtry).retries(1);
        let client = lazily(builder.max_in_flight(16));
        let mut calls = JoinSet::new();
        for n in 0..2000 {
            let client = client.clone();
            calls.spawn(async move {
                let idempotent = n % 2 == 0;
                let result = if idempotent {
                    client.add(args(n, 3)).await
                } else {
                    client.mul(args(n, 3)).await
                };
                (n, idempotent, result)
            });
        }
        let ended = soon(calls.join_all()).await;
        server.abort();
        let ledger = ledger.lock().unwrap();
        for (n, idempotent, result) in ended {
            let ran = ledger.get(&n).copied().unwrap_or(0);
            let most = if idempotent { 2 } else { 1 };
            match result {
                Ok(reply) => {
                    assert_eq!(reply, Reply { c: 3 * n });
                    assert!((1..=most).contains(&ran), "call {n} ran {ran} times");
                }
                Err(Error::ConnectionLost { executed: Executed::Maybe, .. }) => {
                    assert!(ran <= most, "call {n} ran {ran} times");
                }
                Err(Error::ConnectionLost { executed: Executed::No, .. }) if idempotent => {
                    assert!(ran <= 1, "call {n} ran {ran} times");
                }
                Err(Error::ConnectionLost { executed: Executed::No, .. }) => assert_eq!(ran, 0),
                Err(error) => panic!("call {n}: {error:?}"),
            }
        }
    }
}

/// A connection whose writer panics.
#[derive(Debug)]
struct Panics;

impl Connector for Panics {
    fn connect(&self, _: &Address) -> ConnectFuture {
        Box::pin(async {
            let (ours, theirs) = tokio::io::duplex(64);
            std::mem::forget(theirs);
            Ok(Duplex { reader: Box::new(ours), writer: Box::new(Panics), peer: None })
        })
    }
}

impl AsyncWrite for Panics {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        panic!("a panic that the test asked for")
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[test]
fn a_socket_that_panics_leaves_nobody_waiting() {
    // In a thread of its own: what is to be ruled out is a thread that waits for itself.
    let (sender, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let client = ArithClient::builder().connector(Panics).connect_to(ADDRESS).await;
            let client = client.unwrap();
            let first = client.mul(args(2, 3)).start();
            let second = client.mul(args(2, 3)).start();
            // The first panics in its caller's hands, the second in the connection's own.
            let first = tokio::spawn(first).await.map_err(|error| error.is_panic());
            sender.send((first.unwrap_err(), lost(second.await)))
        })
    });
    let ended = ended.recv_timeout(Duration::from_secs(30));
    assert_eq!(ended, Ok((true, Executed::Maybe)));
}

/// Drops a runtime from inside another.
async fn drop_runtime(runtime: tokio::runtime::Runtime) {
    soon(tokio::task::spawn_blocking(move || drop(runtime))).await.expect("it ends");
}

/// What the kernel's timer of a TCP socket is, and how long it still runs, in hundredths of a second.
#[cfg(target_os = "linux")]
fn tcp_timer(port: u16) -> (String, u64) {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let own = format!(":{port:04X}");
    let is_own =
        |line: &&str| line.split_whitespace().nth(1).is_some_and(|address| address.ends_with(&own));
    let line = table.lines().find(is_own).expect("the socket");
    let (kind, left) = line.split_whitespace().nth(5).unwrap().split_once(':').unwrap();
    (kind.to_owned(), u64::from_str_radix(left, 16).unwrap())
}

/// Gives how long the keep-alive timer, 02, still runs. While what was sent is not acknowledged another
/// timer hides it.
#[cfg(target_os = "linux")]
async fn keepalive_left(port: u16) -> u64 {
    let shown = async {
        loop {
            match tcp_timer(port) {
                (kind, left) if kind == "02" => return left,
                _ => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), shown).await.expect("a keep-alive timer")
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_silent_tcp_server_is_probed_after_the_time_the_builder_says() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("tcp@{}", listener.local_addr().unwrap());
    let probed_after = async |builder: rpcx::client::ClientBuilder<ArithClient>| {
        let (client, accepted) = tokio::join!(builder.connect_to(&address), listener.accept());
        let _client = client.unwrap();
        let (_open, peer) = accepted.unwrap();
        keepalive_left(peer.port()).await
    };
    // A busy machine looks late, never early.
    let left = probed_after(ArithClient::builder()).await;
    assert!((1_711..=6_010).contains(&left), "{left} hundredths of the default, 60 s");
    let seventeen = ArithClient::builder().tcp_keepalive(Some(Duration::from_secs(17)));
    let left = probed_after(seventeen).await;
    assert!(left <= 1_710, "{left} hundredths of 17 s");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn no_tcp_server_is_probed_where_the_builder_says_so() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("tcp@{}", listener.local_addr().unwrap());
    let builder = ArithClient::builder().tcp_keepalive(None);
    let (client, accepted) = tokio::join!(builder.connect_to(&address), listener.accept());
    let _client = client.unwrap();
    let (_open, peer) = accepted.unwrap();
    let (kind, _) = tcp_timer(peer.port());
    assert_ne!(kind, "02", "a keep-alive timer");
}
