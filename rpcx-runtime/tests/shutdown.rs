//! How servers, connections and calls end.

mod support;

use std::fmt;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use rpcx::protocol::Header;
use rpcx::transport::{Accept, AcceptFuture, Connector as _, Duplex, Listener, NetworkConnector};
use rpcx::{Address, Server};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::Instant;

use support::{
    Answer, Event, Frame, Probe, Raw, Running, TCP, Tester, Text, memory_address, pack, soon,
};

fn wait(seq: u64, name: &str) -> Frame {
    Frame::call(seq, "Wait", &Text::new(name))
}

fn waited(seq: u64, name: &str) -> Answer {
    Answer::ok(seq, pack(&Text::new(name)))
}

/// A server, and a connection on which the call 1, `running`, waits.
async fn waiting(server: Server, address: &str) -> (Running, Raw, Probe) {
    let (service, mut probe) = Tester::gated();
    let running = Running::at(address, server.add(service)).await;
    let mut raw = Raw::connect(running.address()).await;
    raw.send(&wait(1, "running")).await;
    assert_eq!(probe.event().await, Event::started("running"));
    (running, raw, probe)
}

async fn assert_refused(address: &str) {
    let address: Address = address.parse().unwrap();
    let error = soon(NetworkConnector::new().connect(&address)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn a_stopping_server_answers_what_runs_and_lets_nobody_in() {
    for address in [TCP, &memory_address()] {
        let (running, mut raw, probe) = waiting(Server::new(), address).await;
        let address = running.address().to_owned();
        let mut idle = Raw::connect(&address).await;
        idle.expect_serves().await;
        let server = running.stop();
        // The idle connection ends first, after the listener is gone.
        idle.expect_end().await;
        assert_refused(&address).await;
        probe.open("running");
        assert_eq!(raw.answer().await, waited(1, "running"));
        raw.expect_end().await;
        soon(server).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_stopping_server_serves_what_still_comes_until_nothing_does() {
    let (running, mut raw, mut probe) = waiting(Server::new(), &memory_address()).await;
    let server = running.stop();
    raw.expect_silence().await;
    raw.send(&wait(2, "late")).await;
    assert_eq!(probe.event().await, Event::started("late"));
    for (seq, name) in [(1, "running"), (2, "late")] {
        probe.open(name);
        assert_eq!(raw.answer().await, waited(seq, name));
    }
    let begun = Instant::now();
    raw.expect_end().await;
    assert_eq!(begun.elapsed().as_millis(), 500);
    soon(server).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn heartbeats_do_not_keep_a_stopping_server() {
    let running = Running::in_memory(Server::new().add(Tester::service())).await;
    let mut raw = Raw::connect(running.address()).await;
    raw.expect_serves().await;
    let begun = Instant::now();
    let mut server = running.stop();
    let heartbeat = Frame { header: Frame::mul(9).header.with_heartbeat(), ..Frame::mul(9) };
    while tokio::time::timeout(Duration::from_millis(200), &mut server).await.is_err() {
        raw.send(&heartbeat).await;
        assert!(raw.message().await.header().is_heartbeat());
    }
    assert_eq!(begun.elapsed().as_millis(), 500);
}

// A paused clock stands still while there is something to do.
#[tokio::test]
async fn a_client_that_never_stops_does_not_keep_a_server() {
    for endless in [Frame::mul(1), cancel(1)] {
        let listener = Own::new(move || Ok(flood(&endless)));
        let server = Server::new().add(Tester::service()).max_connections(1);
        soon(stop(server.shutdown_timeout(Duration::from_millis(1)), listener)).await;
    }
}

#[tokio::test]
async fn clients_that_never_stop_to_come_do_not_keep_a_server() {
    let listener = Own::new(|| Ok(duplex(tokio::io::empty())));
    soon(stop(Server::new(), listener)).await;
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_always_fails_does_not_keep_a_server() {
    for kind in [ErrorKind::NotConnected, ErrorKind::ConnectionReset, ErrorKind::Other] {
        let accepts = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&accepts);
        let listener = Own::new(move || {
            counter.fetch_add(1, Ordering::Relaxed);
            Err(kind.into())
        });
        soon(stop(Server::new(), listener)).await;
        assert!(accepts.load(Ordering::Relaxed) < 200, "it pauses");
    }
}

/// Serves for a moment, then stops.
async fn stop(server: Server, listener: Own) {
    let bound = server.bind_to(Listener::Own(Box::new(listener))).unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let serving = tokio::spawn(bound.serve_until(async { stopped.await.unwrap() }));
    tokio::task::yield_now().await;
    stop.send(()).unwrap();
    serving.await.unwrap();
}

fn cancel(seq: u64) -> Frame {
    Frame { header: Header::cancel(seq), ..Frame::mul(seq) }
}

/// A listener that always has something to say.
struct Own(Box<dyn FnMut() -> io::Result<Duplex> + Send + Sync>);

impl Own {
    fn new(next: impl FnMut() -> io::Result<Duplex> + Send + Sync + 'static) -> Self {
        Self(Box::new(next))
    }
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Own")
    }
}

impl Accept for Own {
    fn local_address(&self) -> io::Result<Address> {
        Ok("memory@own".parse().unwrap())
    }

    fn accept(&mut self) -> AcceptFuture<'_> {
        let next = (self.0)();
        Box::pin(async move { next })
    }
}

/// A client that takes everything.
fn duplex(reader: impl AsyncRead + Send + Sync + Unpin + 'static) -> Duplex {
    Duplex { reader: Box::new(reader), writer: Box::new(tokio::io::sink()), peer: None }
}

/// A client that sends a frame for ever.
fn flood(frame: &Frame) -> Duplex {
    duplex(Flood { frame: frame.encode(), at: 0 })
}

struct Flood {
    frame: Vec<u8>,
    at: usize,
}

impl AsyncRead for Flood {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while into.remaining() > 0 {
            let rest = &self.frame[self.at..];
            let len = rest.len().min(into.remaining());
            into.put_slice(&rest[..len]);
            self.at = (self.at + len) % self.frame.len();
        }
        Poll::Ready(Ok(()))
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_never_ends_is_dropped_after_the_shutdown_timeout() {
    for (server, seconds) in
        [(Server::new(), 10), (Server::new().shutdown_timeout(Duration::from_secs(3)), 3)]
    {
        let (running, mut raw, mut probe) = waiting(server, &memory_address()).await;
        let begun = Instant::now();
        soon(running.stop()).await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), seconds);
        assert_eq!(probe.event().await, Event::dropped("running"));
        raw.expect_end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_does_not_keep_a_server() {
    let server = Server::new().shutdown_timeout(Duration::from_secs(3));
    let (running, mut raw, probe) = waiting(server, &memory_address()).await;
    // More than the pipe holds, and nobody reads.
    raw.send(&Frame::echo(2, vec![1; 1_000_000])).await;
    let begun = Instant::now();
    let stopping = running.stop();
    probe.open("running");
    soon(stopping).await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_stopping_server_finishes_oneway_calls_of_clients_that_left() {
    let (service, mut probe) = Tester::gated();
    let running = Running::in_memory(Server::new().add(service)).await;
    let mut raw = Raw::connect(running.address()).await;
    raw.send(&wait(1, "oneway").oneway()).await;
    assert_eq!(probe.event().await, Event::started("oneway"));
    drop(raw);
    let mut server = running.stop();
    let early = tokio::time::timeout(Duration::from_secs(1), &mut server).await;
    assert!(early.is_err(), "the server waits for the call");
    probe.open("oneway");
    assert_eq!(probe.event().await, Event::finished("oneway"));
    let begun = Instant::now();
    soon(server).await.unwrap();
    assert!(begun.elapsed().is_zero());
}

#[tokio::test(start_paused = true)]
async fn a_oneway_call_that_never_ends_is_dropped_after_the_shutdown_timeout() {
    let (service, mut probe) = Tester::gated();
    let running = Running::in_memory(Server::new().add(service)).await;
    let mut raw = Raw::connect(running.address()).await;
    raw.send(&wait(1, "oneway").oneway()).await;
    assert_eq!(probe.event().await, Event::started("oneway"));
    let begun = Instant::now();
    soon(running.stop()).await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), 10);
    assert_eq!(probe.event().await, Event::dropped("oneway"));
}

#[tokio::test(start_paused = true)]
async fn a_server_without_connections_stops_at_once() {
    let running = Running::in_memory(Server::new()).await;
    let begun = Instant::now();
    soon(running.stop()).await.unwrap();
    assert!(begun.elapsed().is_zero());
}

#[tokio::test]
async fn dropping_the_future_of_a_server_ends_everything_at_once() {
    for address in [TCP, &memory_address()] {
        let (running, mut raw, mut probe) = waiting(Server::new(), address).await;
        raw.send(&wait(2, "oneway").oneway()).await;
        assert_eq!(probe.event().await, Event::started("oneway"));
        let address = running.address().to_owned();
        running.abort().await;
        raw.expect_end().await;
        let mut ends = [probe.event().await, probe.event().await];
        ends.sort();
        assert_eq!(ends, [Event::dropped("oneway"), Event::dropped("running")]);
        assert_refused(&address).await;
    }
}

#[tokio::test(start_paused = true)]
async fn dropping_the_future_of_a_stopping_server_ends_everything_at_once() {
    let (service, mut probe) = Tester::gated();
    let bound = Server::new().add(service).bind(&memory_address()).await.unwrap();
    let address = bound.local_addr().to_string();
    let server = tokio::spawn(bound.serve_until(std::future::ready(())));
    // The server stops before it has accepted anybody.
    soon(server).await.unwrap();
    assert_refused(&address).await;
    assert_eq!(probe.seen(), []);

    let (running, mut raw, mut probe) = waiting(Server::new(), &memory_address()).await;
    let server = running.stop();
    raw.expect_silence().await;
    server.abort();
    raw.expect_end().await;
    assert_eq!(probe.event().await, Event::dropped("running"));
}

#[tokio::test]
async fn a_client_that_leaves_takes_its_waiting_calls_along_and_no_others() {
    for address in [TCP, &memory_address()] {
        let (running, raw, mut probe) = waiting(Server::new(), address).await;
        let mut other = Raw::connect(running.address()).await;
        other.send(&wait(2, "other")).await;
        assert_eq!(probe.event().await, Event::started("other"));
        drop(raw);
        assert_eq!(probe.event().await, Event::dropped("running"));
        probe.open("other");
        assert_eq!(other.answer().await, waited(2, "other"));
        assert_eq!(probe.event().await, Event::finished("other"));
    }
}

#[tokio::test]
async fn a_client_that_only_listens_any_more_gets_the_answers_that_are_ready() {
    let running = Running::on_tcp(Server::new().add(Tester::service())).await;
    let mut raw = Raw::connect(running.address()).await;
    let calls: Vec<u8> = (0..50).flat_map(|seq| Frame::mul(seq).encode()).collect();
    raw.send_bytes(&calls).await;
    raw.finish().await;
    for seq in 0..50 {
        assert_eq!(raw.answer().await, Answer::forty_two(seq));
    }
    raw.expect_end().await;
}

#[tokio::test(start_paused = true)]
async fn a_broken_frame_stops_the_calls_that_run_and_answers_them() {
    let (_running, mut raw, mut probe) = waiting(Server::new(), &memory_address()).await;
    raw.send_bytes(b"GET / HTTP/1.1\r\n\r\n").await;
    let stopped = "[service internal error]: the handler was stopped";
    assert_eq!(raw.answer().await, Answer::error(1, stopped));
    raw.expect_end().await;
    assert_eq!(probe.event().await, Event::dropped("running"));
}
