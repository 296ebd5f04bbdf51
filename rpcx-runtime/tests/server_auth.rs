//! Who may call: the hook is asked before a payload is touched, and a refusal ends the connection.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rpcx::protocol::{Compression, CompressionError, Compressor, Compressors};
use rpcx::server::AuthRequest;
use rpcx::{Result, Server};
use tokio::sync::mpsc;

use support::{Answer, Event, Frame, Probe, Raw, Running, Tester, Text, pack, soon, unpack};

/// Counts what it restores, which is the payload as it came.
#[derive(Debug, Default)]
struct Counting {
    restored: Arc<AtomicUsize>,
}

impl Compressor for Counting {
    fn compress(&self, data: &[u8]) -> std::result::Result<Vec<u8>, CompressionError> {
        Ok(data.to_vec())
    }

    fn decompress(&self, data: &[u8], _: usize) -> std::result::Result<Vec<u8>, CompressionError> {
        self.restored.fetch_add(1, Ordering::Relaxed);
        Ok(data.to_vec())
    }
}

async fn check(request: AuthRequest) -> std::result::Result<(), &'static str> {
    if request.token() == "secret" { Ok(()) } else { Err("invalid token") }
}

fn guarded() -> (Server, Probe) {
    let (service, probe) = Tester::gated();
    (Server::new().add(service).auth(check), probe)
}

fn allowed(frame: Frame) -> Frame {
    frame.metadata("__AUTH", "secret")
}

fn wait(seq: u64, name: &str) -> Frame {
    Frame::call(seq, "Wait", &Text::new(name))
}

#[tokio::test(start_paused = true)]
async fn a_refused_call_is_answered_and_ends_the_connection() {
    let (server, mut probe) = guarded();
    let running = Running::in_memory(server).await;
    for frame in [
        wait(1, "never"),
        wait(1, "never").metadata("__AUTH", "Secret"),
        wait(1, "never").metadata("__AUTH", "secret").metadata("__AUTH", ""),
        Frame { path: b"Nope".to_vec(), ..Frame::mul(1) },
        Frame { payload: Vec::new(), ..Frame::mul(1) },
    ] {
        let mut raw = Raw::connect(running.address()).await;
        assert_eq!(raw.call(&allowed(Frame::mul(0))).await, Answer::forty_two(0));
        assert_eq!(raw.call(&frame).await, Answer::error(1, "invalid token"));
        raw.expect_end().await;
    }
    assert_eq!(probe.seen(), [], "no method ran");
}

#[tokio::test(start_paused = true)]
async fn a_refused_payload_is_not_decompressed() {
    let id = Compression::from_id(6);
    let counting = Counting::default();
    let restored = Arc::clone(&counting.restored);
    let (server, _probe) = guarded();
    let server = server.compressors(Compressors::default().register(id, counting));
    let running = Running::in_memory(server).await;
    let mut refused = Raw::connect(running.address()).await;
    let frame = Frame::mul(1).compressed(id);
    assert_eq!(refused.call(&frame).await, Answer::error(1, "invalid token"));
    assert_eq!(restored.load(Ordering::Relaxed), 0);
    let mut raw = Raw::connect(running.address()).await;
    assert_eq!(raw.call(&allowed(frame)).await, Answer::forty_two(1));
    assert_eq!(restored.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refused_oneway_call_ends_the_connection_silently() {
    let (server, mut probe) = guarded();
    let running = Running::in_memory(server).await;
    let mut raw = Raw::connect(running.address()).await;
    raw.send(&wait(1, "never").oneway()).await;
    raw.expect_end().await;
    assert_eq!(probe.seen(), [], "the method did not run");
}

#[tokio::test(start_paused = true)]
async fn nothing_behind_a_refused_call_is_served() {
    let (server, mut probe) = guarded();
    let running = Running::in_memory(server).await;
    let mut raw = Raw::connect(running.address()).await;
    let frames = [Frame::mul(1), allowed(wait(2, "never")), allowed(Frame::mul(3))];
    raw.send_bytes(&frames.map(|frame| frame.encode()).concat()).await;
    assert_eq!(raw.answer().await, Answer::error(1, "invalid token"));
    raw.expect_end().await;
    assert_eq!(probe.seen(), [], "the method did not run");
}

#[tokio::test(start_paused = true)]
async fn calls_that_run_when_another_is_refused_are_answered() {
    let (server, mut probe) = guarded();
    let running = Running::in_memory(server).await;
    let mut raw = Raw::connect(running.address()).await;
    raw.send(&allowed(wait(1, "before"))).await;
    assert_eq!(probe.event().await, Event::started("before"));
    assert_eq!(raw.call(&Frame::mul(2)).await, Answer::error(2, "invalid token"));
    probe.open("before");
    assert_eq!(raw.answer().await, Answer::ok(1, pack(&Text::new("before"))));
    raw.expect_end().await;
}

#[tokio::test(start_paused = true)]
async fn heartbeats_need_no_token() {
    let (server, _probe) = guarded();
    let running = Running::in_memory(server).await;
    let mut raw = Raw::connect(running.address()).await;
    let mut heartbeat = Frame::mul(1);
    heartbeat.header = heartbeat.header.with_heartbeat();
    raw.send(&heartbeat).await;
    assert_eq!(raw.message().await.header(), heartbeat.header.with_response());
}

#[tokio::test]
async fn the_hook_is_told_token_names_and_peer() {
    let (seen, mut requests) = mpsc::unbounded_channel();
    let server = Server::new().add(Tester::service()).auth(move |request: AuthRequest| {
        let token = request.token().to_owned();
        let path = request.service_path().to_owned();
        let method = request.service_method().to_owned();
        seen.send((token, path, method, request.peer())).unwrap();
        async { Ok::<(), String>(()) }
    });
    let running = Running::on_tcp(server).await;
    let mut raw = Raw::connect(running.address()).await;
    raw.call(&allowed(Frame::mul(1))).await;
    let (token, path, method, peer) = soon(requests.recv()).await.unwrap();
    assert_eq!((&*token, &*path, &*method), ("secret", "Arith", "Mul"));
    assert!(peer.is_some_and(|peer| peer.ip().is_loopback()));
    raw.call(&Frame { path: b"Nope".to_vec(), method: b"M".to_vec(), ..Frame::mul(2) }).await;
    let (token, path, method, _) = soon(requests.recv()).await.unwrap();
    assert_eq!((&*token, &*path, &*method), ("", "Nope", "M"));
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_waits_holds_up_its_call_alone() {
    let (gate, mut hook) = Probe::new();
    let (service, mut probe) = Tester::gated();
    let server = Server::new().add(service).auth(move |request: AuthRequest| {
        let gate = gate.clone();
        async move {
            if request.token() != "secret" {
                gate.pass("hook").await;
            }
            Ok::<(), String>(())
        }
    });
    let running = Running::in_memory(server).await;
    let mut raw = Raw::connect(running.address()).await;
    raw.send(&wait(1, "held")).await;
    assert_eq!(hook.event().await, Event::started("hook"));
    assert_eq!(raw.call(&allowed(Frame::mul(2))).await, Answer::forty_two(2));
    assert_eq!(probe.seen(), [], "the method waits for the hook");
    hook.open("hook");
    assert_eq!(probe.event().await, Event::started("held"));
    probe.open("held");
    assert_eq!(raw.answer().await, Answer::ok(1, pack(&Text::new("held"))));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_ends_a_hook_too() {
    let server = Server::new().add(Tester::service()).auth(|request: AuthRequest| async move {
        if request.token().is_empty() {
            std::future::pending::<()>().await;
        }
        Ok::<(), String>(())
    });
    let running = Running::in_memory(server).await;
    let mut raw = Raw::connect(running.address()).await;
    let late = Frame::mul(1).metadata("__ServerTimeout", "100");
    assert_eq!(raw.call(&late).await, Answer::error(1, "context deadline exceeded"));
    assert_eq!(raw.call(&allowed(Frame::mul(2))).await, Answer::forty_two(2));
}

/// Tells in which task it runs.
#[rpcx::service]
trait Tasks {
    /// In a task of its own.
    #[rpcx(spawn)]
    async fn own(&self) -> Result<String>;
}

struct Observer;

impl Tasks for Observer {
    async fn own(&self) -> Result<String> {
        Ok(tokio::task::id().to_string())
    }
}

#[tokio::test(start_paused = true)]
async fn a_spawned_method_has_its_own_task_with_a_hook_and_without() {
    let server = || Server::new().add(TasksServer::new(Observer));
    for server in [server(), server().auth(check)] {
        let running = Running::in_memory(server).await;
        let mut raw = Raw::connect(running.address()).await;
        let mut tasks = Vec::new();
        for seq in 1..3 {
            let call = Frame::call(seq, "Own", &std::collections::BTreeMap::<u8, u8>::new());
            let answer = raw.call(&allowed(Frame { path: b"Tasks".to_vec(), ..call })).await;
            tasks.push(unpack::<String>(&answer.result.unwrap()));
        }
        assert_ne!(tasks[0], tasks[1]);
    }
}
