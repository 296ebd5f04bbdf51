//! What interceptors of the server see, change, and decide.
#![cfg(all(feature = "macros", feature = "gzip"))]

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rpcx::client::Channel;
use rpcx::protocol::{Compression, Compressor as _, Gzip, Header, SerializeType};
use rpcx::reflection::MethodInfo;
use rpcx::server::interceptor::{ConnectionInfo, Incoming, Interceptor, Next, Outgoing, Rejection};
use rpcx::{Client as _, Context, Error, Executed, FailMode, Refusal, Server, codec};
use serde::{Deserialize, Serialize};

use support::{
    Answer, Args, Event, Frame, MetaReply, Nothing, Raw, Reply, Running, Tester, Text, pack, soon,
    unpack,
};

/// What interceptors wrote down, in order.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn write(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// The method that most tests call.
static MUL: MethodInfo = MethodInfo::new("Arith", "Mul");

/// Writes everything down.
struct Recorder {
    name: &'static str,
    log: Log,
}

/// Writes down that it was dropped before it was told how the call ended.
struct Watch<'a> {
    recorder: &'a Recorder,
    ended: bool,
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.recorder.log.write(format!("{} dropped", self.recorder.name));
        }
    }
}

impl Interceptor for Recorder {
    async fn call(&self, request: Incoming, next: Next<'_>) -> Result<Outgoing, Rejection> {
        let (service, method) = (request.service(), request.method());
        self.log.write(format!("{} {service}.{method}", self.name));
        let mut watch = Watch { recorder: self, ended: false };
        let result = next.run(request).await;
        watch.ended = true;
        let outcome = match &result {
            Ok(reply) => reply.error().map_or_else(|| "ok".to_owned(), str::to_owned),
            Err(rejection) => format!("rejected: {rejection}"),
        };
        self.log.write(format!("{} ends: {outcome}", self.name));
        result
    }
}

fn recorder(name: &'static str) -> (Recorder, Log) {
    let log = Log::default();
    (Recorder { name, log: log.clone() }, log)
}

fn arith() -> Server {
    Server::new().add(Tester::service())
}

async fn running(server: Server) -> (Running, Raw) {
    let running = Running::in_memory(server).await;
    let raw = Raw::connect(running.address()).await;
    (running, raw)
}

/// Leaves everything as it is.
struct Nothingness;

impl Interceptor for Nothingness {}

#[tokio::test(start_paused = true)]
async fn the_first_one_is_the_outermost() {
    let (outer, log) = recorder("outer");
    let inner = Recorder { name: "inner", log: log.clone() };
    let (_running, mut raw) = running(arith().interceptor(outer).interceptor(inner)).await;
    assert_eq!(raw.call(&Frame::mul(1)).await, Answer::forty_two(1));
    let expected = ["outer Arith.Mul", "inner Arith.Mul", "inner ends: ok", "outer ends: ok"];
    assert_eq!(log.take(), expected);
}

fn gzip(payload: &[u8]) -> Vec<u8> {
    Gzip::default().compress(payload).unwrap()
}

/// Every kind of request there is, and what makes a difference to its answer.
fn all_kinds() -> Vec<Frame> {
    let meta = Frame::call(0, "Meta", &Nothing {}).metadata("a", "1").metadata("__AUTH", "token");
    let long = "x".repeat(5_000);
    let packed = |payload: &[u8]| {
        Frame { payload: gzip(payload), ..Frame::echo(0, []) }.compressed(Compression::GZIP)
    };
    vec![
        Frame::mul(0),
        Frame::mul(0).marked(),
        Frame::call(0, "Error", &Text::new("a\nb")),
        Frame::call(0, "Error", &Text::new("")),
        Frame::echo(0, long.clone()),
        Frame::echo(0, vec![7; 100_000]),
        packed(long.as_bytes()),
        packed(b"short"),
        Frame::mul(0).compressed(Compression::GZIP),
        Frame::mul(0).compressed(Compression::from_id(6)),
        meta.clone(),
        meta.metadata("fail", "as asked"),
        Frame::mul(0).codec(SerializeType::from_id(9)),
        Frame { payload: vec![0xc1], ..Frame::mul(0) },
        Frame { path: b"Nope".to_vec(), ..Frame::mul(0) },
        Frame { path: vec![0xff], ..Frame::mul(0) },
        Frame { method: b"Nope".to_vec(), ..Frame::mul(0) },
        Frame { method: vec![b'N', 0xff], ..Frame::mul(0) },
        Frame::mul(0).metadata("__ServerTimeout", "0"),
        Frame::mul(0).metadata("__ServerTimeout", "-1"),
        Frame::mul(0).metadata("__ServerTimeout", "1000"),
        Frame::call(0, "Wait", &Text::new("for ever")).metadata("__ServerTimeout", "20"),
        Frame::call(0, "Push", &Args { a: 2, b: 0 }),
    ]
}

#[tokio::test(start_paused = true)]
async fn one_that_does_nothing_changes_no_byte_of_any_answer() {
    let (_plain, mut plain) = running(arith()).await;
    let layered = arith().interceptor(Nothingness).interceptor(Arc::new(Nothingness));
    let (_layered, mut layered) = running(layered).await;
    let guarded = arith().interceptor(Nothingness).auth(|_| async { Ok::<_, String>(()) });
    let (_guarded, mut guarded) = running(guarded).await;
    for (seq, frame) in all_kinds().into_iter().enumerate() {
        let mut bytes = frame.encode();
        bytes[11] = seq.try_into().unwrap();
        let messages = if frame.method == b"Push" { 3 } else { 1 };
        for raw in [&mut plain, &mut layered, &mut guarded] {
            raw.send_bytes(&bytes).await;
        }
        for _ in 0..messages {
            let expected = plain.message().await;
            assert_eq!(layered.message().await.as_bytes(), expected.as_bytes(), "{frame:?}");
            assert_eq!(guarded.message().await.as_bytes(), expected.as_bytes(), "{frame:?}");
        }
    }
}

/// Looks at everything, and changes the request and the reply.
struct Editor;

impl Interceptor for Editor {
    async fn call(&self, mut request: Incoming, next: Next<'_>) -> Result<Outgoing, Rejection> {
        let metadata: Vec<_> = request.metadata().iter().map(|(key, _)| key.to_owned()).collect();
        assert_eq!(metadata, ["own", "secret"], "rpcx's own keys are not among them");
        assert_eq!(request.serialize_type(), SerializeType::MSGPACK);
        assert!(request.remaining().unwrap() <= Duration::from_secs(5));
        assert_eq!((request.is_oneway(), request.peer()), (false, None));
        assert_eq!(request.target(), Some(("Arith", "Meta")));
        assert!(!format!("{request:?}").contains("canary"));
        request.metadata_mut().remove("secret");
        request.metadata_mut().insert("added", "2");
        request.extensions().insert(7_u8);
        let mut reply = next.run(request).await?;
        assert_eq!(reply.metadata().get("echo-added"), Some("2"));
        let MetaReply { mut meta } = unpack(&reply.payload());
        meta.insert("later".to_owned(), "3".to_owned());
        reply.set_payload(pack(&MetaReply { meta }));
        assert!(!format!("{reply:?}").contains("echo-added"));
        reply.metadata_mut().insert("served-by", "vienna");
        reply.metadata_mut().insert("__rpcx_error__", "not sent");
        Ok(reply)
    }
}

#[tokio::test(start_paused = true)]
async fn metadata_and_payload_can_be_changed_both_ways() {
    let (_running, mut raw) = running(arith().interceptor(Editor)).await;
    let frame =
        Frame::call(1, "Meta", &Nothing {}).metadata("own", "1").metadata("secret", "canary");
    let frame = frame.metadata("__AUTH", "token").metadata("__ServerTimeout", "5000");
    let answer = raw.call(&frame).await;
    let MetaReply { meta } = unpack(&answer.result.unwrap());
    let pairs = |pairs: [(&str, &str); 3]| {
        pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into_iter().collect()
    };
    assert_eq!(meta, pairs([("own", "1"), ("added", "2"), ("later", "3")]));
    let sent = pairs([("echo-own", "1"), ("echo-added", "2"), ("served-by", "vienna")]);
    assert_eq!(answer.metadata, sent);
}

/// Doubles the first number.
struct Double;

impl Interceptor for Double {
    async fn call(&self, mut request: Incoming, next: Next<'_>) -> Result<Outgoing, Rejection> {
        let payload = request.payload().map_err(|error| Rejection::error(error.to_string()))?;
        let args: Args = codec::decode(request.serialize_type(), &payload)
            .map_err(|error| Rejection::error(error.to_string()))?;
        request.set_payload(pack(&Args { a: 2 * args.a, ..args }));
        next.run(request).await
    }
}

#[tokio::test(start_paused = true)]
async fn arguments_can_be_replaced_also_those_that_came_compressed() {
    let (_running, mut raw) = running(arith().interceptor(Double)).await;
    let expected = |seq| Answer::ok(seq, pack(&Reply { c: 84 }));
    assert_eq!(raw.call(&Frame::mul(1)).await, expected(1));
    let frame = Frame { payload: gzip(&Frame::mul(2).payload), ..Frame::mul(2) }
        .compressed(Compression::GZIP);
    assert_eq!(raw.call(&frame).await, expected(2));
    let broken = Frame::mul(3).compressed(Compression::GZIP);
    let (_plain, mut plain) = running(arith()).await;
    assert_eq!(raw.call(&broken).await, plain.call(&broken).await);
}

/// Answers some methods itself, in one way or another.
struct Gatekeeper;

impl Interceptor for Gatekeeper {
    async fn call(&self, request: Incoming, next: Next<'_>) -> Result<Outgoing, Rejection> {
        match request.metadata().get("how") {
            Some("answer") => Ok(request.answer(pack(&Reply { c: 7 }))),
            Some("error") => Err(Rejection::error("not today").metadata("day", "sunday")),
            Some("refuse") => Err(Rejection::not_executed("busy").metadata("retry-after-ms", "5")),
            Some("close") => Err(Rejection::error("go away").and_close()),
            _ => next.run(request).await,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_can_be_answered_failed_and_refused() {
    let (_running, mut raw) = running(arith().interceptor(Gatekeeper)).await;
    let how = |seq, how: &str| Frame::mul(seq).metadata("how", how);
    assert_eq!(raw.call(&how(1, "answer")).await, Answer::ok(1, pack(&Reply { c: 7 })));
    let mut failed = Answer::error(2, "not today");
    failed.metadata.insert("day".to_owned(), "sunday".to_owned());
    assert_eq!(raw.call(&how(2, "error")).await, failed);
    let mut refused = Answer::refused(3, "busy");
    refused.metadata.insert("retry-after-ms".to_owned(), "5".to_owned());
    assert_eq!(raw.call(&how(3, "refuse")).await, refused);
    raw.send(&how(4, "answer").oneway()).await;
    raw.send(&how(5, "error").oneway()).await;
    assert_eq!(raw.call(&Frame::mul(6)).await, Answer::forty_two(6));
    assert_eq!(raw.call(&how(7, "close")).await, Answer::error(7, "go away"));
    raw.expect_end().await;
}

#[tokio::test(start_paused = true)]
async fn our_client_makes_a_refused_call_at_another_server() {
    let busy = Running::in_memory(arith().interceptor(Gatekeeper)).await;
    let calm = Running::in_memory(arith()).await;
    let servers = [busy.address(), calm.address()].map(|address| format!("{address}?weight=1"));
    let servers = rpcx::registry::MultipleServers::new(servers.iter().map(|s| &**s)).unwrap();
    let select = rpcx::SelectMode::RoundRobin;
    let builder = Channel::builder().service("Arith").registry(servers).select(select);
    let channel = builder.fail_mode(FailMode::Failover).connect().await.unwrap();
    let args = Args { a: 6, b: 7 };
    for _ in 0..4 {
        let call = channel.call::<_, Reply>(&MUL, &args).metadata("how", "refuse");
        assert_eq!(soon(call.into_future()).await.unwrap(), Reply { c: 42 });
    }
    let alone = Channel::builder().connect_to(busy.address()).await.unwrap();
    let call = alone.call::<_, Reply>(&MUL, &args).metadata("how", "refuse").retries(0);
    let error = soon(call.into_future()).await.unwrap_err();
    assert_eq!(error.executed(), Executed::No);
    match error {
        Error::NotExecuted { reason: Refusal::ByServer { why, .. } } => assert_eq!(why, "busy"),
        other => panic!("{other:?}"),
    }
    let call = alone.call::<_, Reply>(&MUL, &args).metadata("how", "error");
    match soon(call.into_future()).await.unwrap_err() {
        Error::Service(text) => assert_eq!(text, "not today"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_handlers_panic_is_an_answer_that_says_nothing_of_it() {
    let (recorder, log) = recorder("i");
    let (_running, mut raw) = running(arith().interceptor(recorder)).await;
    let answer = raw.call(&Frame::call(1, "Panic", &Text::new("canary"))).await;
    let text = answer.result.unwrap_err();
    assert!(text.starts_with("[service internal error]: the handler panicked, incident "));
    assert!(!text.contains("canary"));
    assert_eq!(log.take(), ["i Arith.Panic".to_owned(), format!("i ends: {text}")]);
    raw.expect_serves().await;
}

/// Panics where it is told.
struct Faulty;

impl Interceptor for Faulty {
    async fn call(&self, request: Incoming, next: Next<'_>) -> Result<Outgoing, Rejection> {
        let when = request.metadata().get("when").unwrap_or_default().to_owned();
        assert_ne!(when, "before", "canary");
        let reply = next.run(request).await;
        assert_ne!(when, "after", "canary");
        reply
    }
}

/// Panics before there is a future.
struct Eager;

impl Interceptor for Eager {
    fn call(
        &self,
        request: Incoming,
        next: Next<'_>,
    ) -> impl Future<Output = Result<Outgoing, Rejection>> + Send {
        assert_ne!(request.metadata().get("when"), Some("at once"), "canary");
        async move { next.run(request).await }
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_one_costs_its_own_call_alone() {
    let (recorder, log) = recorder("i");
    let server = arith().interceptor(recorder).interceptor(Faulty).interceptor(Eager);
    let (_running, mut raw) = running(server).await;
    for (seq, when) in (1..).zip(["before", "after", "at once"]) {
        let text = raw.call(&Frame::mul(seq).metadata("when", when)).await.result.unwrap_err();
        let rest =
            text.strip_prefix("[service internal error]: an interceptor panicked, incident ");
        assert!(rest.unwrap().parse::<u64>().is_ok(), "{text}");
        let expected = ["i Arith.Mul".to_owned(), format!("i ends: rejected: {text}")];
        assert_eq!(log.take(), expected);
        raw.expect_serves().await;
        log.take();
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_given_up_drops_them_at_their_await() {
    let (recorder, log) = recorder("i");
    let (service, mut probe) = Tester::gated();
    let (_running, mut raw) = running(Server::new().add(service).interceptor(recorder)).await;
    raw.send(&Frame::call(1, "Wait", &Text::new("given up")).marked()).await;
    assert_eq!(probe.event().await, Event::started("given up"));
    raw.send(&Frame { header: Header::cancel(1), ..Frame::mul(1) }).await;
    assert_eq!(probe.event().await, Event::dropped("given up"));
    raw.message().await;
    assert_eq!(log.take(), ["i Arith.Wait", "i dropped"]);

    raw.send(&Frame::call(2, "Wait", &Text::new("left"))).await;
    assert_eq!(probe.event().await, Event::started("left"));
    drop(raw);
    assert_eq!(probe.event().await, Event::dropped("left"));
    assert_eq!(log.take(), ["i Arith.Wait", "i dropped"]);
}

#[tokio::test(start_paused = true)]
async fn they_see_the_end_of_a_calls_time_as_an_answer() {
    let (recorder, log) = recorder("i");
    let (service, mut probe) = Tester::gated();
    let (_running, mut raw) = running(Server::new().add(service).interceptor(recorder)).await;
    let late = Frame::call(1, "Wait", &Text::new("late")).metadata("__ServerTimeout", "20");
    assert_eq!(raw.call(&late).await, Answer::error(1, "context deadline exceeded"));
    assert_eq!(probe.seen(), [Event::started("late"), Event::dropped("late")]);
    assert_eq!(log.take(), ["i Arith.Wait", "i ends: context deadline exceeded"]);
    let over = Frame::call(2, "Wait", &Text::new("over")).metadata("__ServerTimeout", "0");
    assert_eq!(raw.call(&over).await, Answer::refused(2, "context deadline exceeded"));
    assert_eq!(probe.seen(), [], "it did not run");
    assert_eq!(log.take(), ["i Arith.Wait", "i ends: rejected: context deadline exceeded"]);
}

/// Waits for ten seconds, before or after.
struct Slow;

impl Interceptor for Slow {
    async fn call(&self, request: Incoming, next: Next<'_>) -> Result<Outgoing, Rejection> {
        let after = request.metadata().get("when") == Some("after");
        if !after {
            tokio::time::sleep(Duration::from_secs(10)).await;
        }
        let reply = next.run(request).await;
        if after {
            tokio::time::sleep(Duration::from_secs(10)).await;
        }
        reply
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_takes_longer_than_the_call_has_is_dropped() {
    let (_running, mut raw) = running(arith().interceptor(Slow)).await;
    for when in ["before", "after"] {
        let frame = Frame::mul(1).metadata("__ServerTimeout", "20").metadata("when", when);
        assert_eq!(raw.call(&frame).await, Answer::error(1, "context deadline exceeded"));
    }
    assert_eq!(raw.call(&Frame::mul(2)).await, Answer::forty_two(2));
}

#[tokio::test(start_paused = true)]
async fn heartbeats_are_not_seen_and_calls_that_are_refused_before_are_not_either() {
    let (recorder, log) = recorder("i");
    let (service, mut probe) = Tester::gated();
    let server = Server::new().add(service).max_in_flight(1).interceptor(recorder);
    let (_running, mut raw) = running(server).await;
    let heartbeat = Frame { header: Frame::mul(1).header.with_heartbeat(), ..Frame::mul(1) };
    raw.send(&heartbeat).await;
    raw.message().await;
    assert_eq!(log.take(), [""; 0]);
    raw.send(&Frame::call(2, "Wait", &Text::new("first"))).await;
    assert_eq!(probe.event().await, Event::started("first"));
    let text = "too many calls are running on this connection";
    assert_eq!(raw.call(&Frame::mul(3)).await, Answer::refused(3, text));
    assert_eq!(log.take(), ["i Arith.Wait"]);
    probe.open("first");
    assert_eq!(raw.answer().await, Answer::ok(2, pack(&Text::new("first"))));
}

#[tokio::test(start_paused = true)]
async fn a_oneway_call_is_seen_with_its_result_and_not_answered() {
    let (recorder, log) = recorder("i");
    let (service, mut probe) = Tester::gated();
    let (running, mut raw) = running(Server::new().add(service).interceptor(recorder)).await;
    raw.send(&Frame::mul(1).oneway()).await;
    raw.send(&Frame::call(2, "Error", &Text::new("no")).oneway()).await;
    raw.send(&Frame::echo(3, vec![1; 100_000]).oneway()).await;
    assert_eq!(raw.call(&Frame::mul(4)).await, Answer::forty_two(4));
    let seen: Vec<_> = log.take().into_iter().filter(|line| line.contains("ends")).collect();
    assert_eq!(seen, ["i ends: ok", "i ends: no", "i ends: ok", "i ends: ok"]);
    // One outlives the connection, as without interceptors.
    raw.send(&Frame::call(5, "Wait", &Text::new("alone")).oneway()).await;
    assert_eq!(probe.event().await, Event::started("alone"));
    drop(raw);
    let mut other = Raw::connect(running.address()).await;
    other.expect_serves().await;
    probe.open("alone");
    assert_eq!(probe.event().await, Event::finished("alone"));
}

#[tokio::test(start_paused = true)]
async fn auth_comes_first() {
    let (recorder, log) = recorder("i");
    let server = arith().interceptor(recorder).auth(|request| async move {
        if request.token() == "secret" { Ok(()) } else { Err("invalid token") }
    });
    let (_running, mut raw) = running(server).await;
    let frame = Frame::mul(1).metadata("__AUTH", "secret");
    assert_eq!(raw.call(&frame).await, Answer::forty_two(1));
    assert_eq!(log.take(), ["i Arith.Mul", "i ends: ok"]);
    assert_eq!(raw.call(&Frame::mul(2)).await, Answer::error(2, "invalid token"));
    assert_eq!(log.take(), [""; 0]);
}

/// Sends calls of `Old.Times` elsewhere.
struct Renamed;

impl Interceptor for Renamed {
    async fn call(&self, mut request: Incoming, next: Next<'_>) -> Result<Outgoing, Rejection> {
        if (request.service(), request.method()) == ("Old", "Times") {
            assert_eq!(request.target(), None);
            request.redirect("Arith", "Mul");
            assert_eq!(request.target(), Some(("Arith", "Mul")));
        }
        next.run(request).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_can_be_redirected_and_its_answer_has_the_names_that_were_called() {
    let (_running, mut raw) = running(arith().interceptor(Renamed)).await;
    raw.send(&Frame { path: b"Old".to_vec(), method: b"Times".to_vec(), ..Frame::mul(1) }).await;
    let message = raw.message().await;
    assert_eq!(Answer::of(&message), Answer::forty_two(1));
    assert_eq!((message.service_path(), message.service_method()), (&b"Old"[..], &b"Times"[..]));
}

/// Writes down what happens to connections; refuses some.
struct Doorman {
    name: &'static str,
    refuses: bool,
    panics: bool,
    log: Log,
}

impl Interceptor for Doorman {
    fn accept(&self, connection: &ConnectionInfo) -> Result<(), String> {
        self.log.write(format!("{} accept {}", self.name, connection.peer().is_some()));
        assert!(!self.panics, "canary");
        if self.refuses { Err("full".to_owned()) } else { Ok(()) }
    }

    fn connected(&self, _: &ConnectionInfo) {
        self.log.write(format!("{} connected", self.name));
        assert!(self.name != "a", "canary");
    }

    fn refused(&self, _: &ConnectionInfo, why: &str) {
        self.log.write(format!("{} refused: {why}", self.name));
    }

    fn disconnected(&self, _: &ConnectionInfo) {
        self.log.write(format!("{} disconnected", self.name));
        assert!(self.name != "a", "canary");
    }
}

fn doorman(name: &'static str, log: &Log) -> Doorman {
    Doorman { name, refuses: false, panics: false, log: log.clone() }
}

#[tokio::test]
async fn connections_are_admitted_and_heard_of() {
    let log = Log::default();
    let server = arith().interceptor(doorman("a", &log)).interceptor(doorman("b", &log));
    let running = Running::on_tcp(server).await;
    let mut raw = Raw::connect(running.address()).await;
    raw.expect_serves().await;
    let expected = ["a accept true", "b accept true", "a connected", "b connected"];
    assert_eq!(log.take(), expected);
    raw.finish().await;
    raw.expect_end().await;
    soon(running.stop()).await.unwrap();
    assert_eq!(log.take(), ["a disconnected", "b disconnected"]);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_one_refuses_is_closed_unread_and_no_more_are_asked() {
    for panics in [false, true] {
        let log = Log::default();
        let second = Doorman { refuses: true, panics, ..doorman("b", &log) };
        let server = arith().interceptor(doorman("a", &log));
        let server = server.interceptor(second).interceptor(doorman("c", &log));
        let (running, mut raw) = running(server).await;
        raw.expect_end().await;
        let why = if panics { "an interceptor panicked" } else { "full" };
        let mut expected = vec!["a accept false".to_owned(), "b accept false".to_owned()];
        expected.extend(["a", "b", "c"].map(|name| format!("{name} refused: {why}")));
        assert_eq!(log.take(), expected);
        let mut second = Raw::connect(running.address()).await;
        second.expect_end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_dropped_tells_of_its_connections() {
    let log = Log::default();
    let (running, mut raw) = running(arith().interceptor(doorman("b", &log))).await;
    raw.expect_serves().await;
    log.take();
    running.abort().await;
    raw.expect_end().await;
    assert_eq!(log.take(), ["b disconnected"]);
}

#[derive(Serialize, Deserialize, Clone, Copy)]
struct User(u32);

#[rpcx::service]
trait Who {
    async fn am_i(&self, context: &Context) -> rpcx::Result<Option<User>>;
}

struct Mirror;

impl Who for Mirror {
    async fn am_i(&self, context: &Context) -> rpcx::Result<Option<User>> {
        context.extensions().insert("seen");
        Ok(context.extensions().get::<User>())
    }
}

struct Names;

impl Interceptor for Names {
    async fn call(&self, request: Incoming, next: Next<'_>) -> Result<Outgoing, Rejection> {
        let extensions = request.extensions().clone();
        extensions.insert(User(7));
        let reply = next.run(request).await;
        assert_eq!(extensions.get::<&str>(), Some("seen"));
        reply
    }
}

#[tokio::test(start_paused = true)]
async fn the_handler_sees_what_they_put_into_the_extensions() {
    let server = Running::in_memory(Server::new().add(WhoServer::new(Mirror)).interceptor(Names));
    let server = server.await;
    let client = WhoClient::connect_to(server.address()).await.unwrap();
    assert_eq!(client.am_i().await.unwrap().map(|User(id)| id), Some(7));
}

#[test]
fn debug_shows_no_secret() {
    let rejection = Rejection::error("no").metadata("token", "canary");
    assert!(!format!("{rejection:?}").contains("canary"));
}

/// Says of a call that it did not run, whatever became of it.
struct Liar;

impl Interceptor for Liar {
    async fn call(&self, request: Incoming, next: Next<'_>) -> Result<Outgoing, Rejection> {
        let runs = request.metadata().get("run").is_some();
        if runs {
            let _ = next.run(request.clone()).await;
        }
        Err(Rejection::not_executed("not now"))
    }
}

/// Makes a call again that is refused.
struct Twice;

impl Interceptor for Twice {
    async fn call(&self, request: Incoming, next: Next<'_>) -> Result<Outgoing, Rejection> {
        let _ = next.run(request.clone()).await;
        next.run(request).await
    }
}

/// Lets one call through.
#[derive(Default)]
struct Once(AtomicBool);

impl Interceptor for Once {
    async fn call(&self, request: Incoming, next: Next<'_>) -> Result<Outgoing, Rejection> {
        if self.0.swap(true, Ordering::Relaxed) {
            return Err(Rejection::not_executed("once only"));
        }
        next.run(request).await
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_is_told_of_a_call_that_has_begun_that_it_did_not_run() {
    let (_running, mut raw) = running(arith().interceptor(Liar)).await;
    assert_eq!(raw.call(&Frame::mul(1)).await, Answer::refused(1, "not now"));
    let run = Frame::mul(2).metadata("run", "1");
    assert_eq!(raw.call(&run).await, Answer::error(2, "not now"));

    let (_running, mut raw) =
        running(arith().interceptor(Twice).interceptor(Once::default())).await;
    assert_eq!(raw.call(&Frame::mul(1)).await, Answer::error(1, "once only"));
    assert_eq!(raw.call(&Frame::mul(2)).await, Answer::refused(2, "once only"));
}
