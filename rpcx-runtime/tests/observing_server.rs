//! What a server tells of its calls: spans, counters, the trace that a call belongs to, and no secrets.
#![cfg(feature = "macros")]

use std::sync::Once;

use rpcx::client::TracePropagation;
use rpcx::server::interceptor::Tracing;
use rpcx::{Context, Server, TraceContext};
use tracing_subscriber::fmt::format::FmtSpan;

#[cfg(feature = "metrics")]
#[path = "support/recorder.rs"]
mod recorder;
mod support;
#[path = "support/trace_log.rs"]
#[allow(dead_code, reason = "each test file uses a part")]
mod trace_log;

use support::{Answer, Args, Event, Frame, Nothing, Raw, Running, Tester, Text, soon};
use trace_log::{Log, take_lines};

/// Gives the fields of the spans that ended.
fn closed() -> Vec<String> {
    let spans = take_lines().into_iter().filter(|line| line.contains(": close"));
    let fields = spans.filter_map(|line| {
        let (_, rest) = line.split_once("rpcx.serve{")?;
        Some(rest.split_once('}')?.0.to_owned())
    });
    fields.collect()
}

/// Traces the whole process at the finest level.
fn trace() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_span_events(FmtSpan::CLOSE)
            .with_ansi(false)
            .with_writer(|| Log)
            .finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
}

/// What Go's OpenTelemetry plugin puts into metadata.
const GO: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

async fn traced() -> (Running, Raw) {
    let server = Server::new().add(Tester::service()).interceptor(Tracing::new());
    let running = Running::in_memory(server).await;
    let raw = Raw::connect(running.address()).await;
    (running, raw)
}

#[tokio::test]
async fn each_call_is_a_span_in_the_trace_of_its_caller() {
    trace();
    let (_running, mut raw) = traced().await;
    let frame = Frame::mul(1).metadata("traceparent", GO);
    assert_eq!(raw.call(&frame).await, Answer::forty_two(1));
    let spans = closed();
    let (own, rest) = spans[0].split_once(r" span_id=").unwrap();
    let trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
    assert_eq!(own, format!(r#"service="Arith" method="Mul" trace_id={trace_id}"#));
    let (span_id, rest) = rest.split_once(' ').unwrap();
    assert_eq!(span_id.len(), 16);
    assert_eq!(rest, r#"parent_span_id=00f067aa0ba902b7 outcome="ok""#);
    raw.call(&Frame::mul(2).metadata("traceparent", &GO.to_uppercase())).await;
    let spans = closed();
    assert!(!spans[0].contains("parent_span_id"), "a wrong one is none: {spans:?}");
    assert!(spans[0].contains("trace_id="), "the call begins a trace: {spans:?}");
}

#[tokio::test(start_paused = true)]
async fn a_span_tells_how_the_call_ended() {
    trace();
    let (service, mut probe) = Tester::gated();
    let server = Server::new().add(service).interceptor(Tracing::new());
    let running = Running::in_memory(server).await;
    let mut raw = Raw::connect(running.address()).await;
    let wait = |name: &str| Frame::call(9, "Wait", &Text::new(name));
    raw.call(&Frame::mul(1)).await;
    raw.call(&Frame::call(2, "Error", &Text::new("no"))).await;
    raw.call(&Frame::call(3, "Panic", &Text::new("no"))).await;
    raw.call(&wait("late").metadata("__ServerTimeout", "20")).await;
    raw.call(&wait("over").metadata("__ServerTimeout", "0")).await;
    raw.call(&Frame { method: b"Nope".to_vec(), ..Frame::mul(1) }).await;
    raw.send(&wait("left")).await;
    while probe.event().await != Event::started("left") {}
    drop(raw);
    while probe.event().await != Event::dropped("left") {}
    let outcomes: Vec<_> = closed()
        .into_iter()
        .map(|span| span.split_once("outcome=").unwrap().1.to_owned())
        .collect();
    let expected = [
        r#""ok""#,
        r#""service_error""#,
        r#""internal_error""#,
        r#""timeout""#,
        r#""not_executed""#,
        r#""service_error""#,
        r#""given_up""#,
    ];
    assert_eq!(outcomes, expected);
}

#[tokio::test]
async fn nothing_that_is_traced_has_a_secret() {
    trace();
    let server = Server::new().add(Tester::service()).interceptor(Tracing::new());
    let server = server.auth(|_| async { Ok::<_, String>(()) });
    let running = Running::in_memory(server).await;
    let mut raw = Raw::connect(running.address()).await;
    let frames = [
        Frame::call(1, "Meta", &Nothing {}),
        Frame::call(1, "Error", &Text::new("canary")),
        Frame::call(1, "Panic", &Text::new("canary")),
        Frame::call(1, "Mul", &Args { a: 424_242, b: 1 }),
        Frame { payload: b"canary".to_vec(), ..Frame::mul(1) },
    ];
    for frame in frames {
        let frame = frame.metadata("__AUTH", "canary-token").metadata("key", "canary-value");
        raw.call(&frame.metadata("traceparent", "canary").metadata("tracestate", "canary=1")).await;
    }
    let lines = take_lines();
    assert!(lines.len() > 5, "something is traced: {lines:#?}");
    for secret in ["canary", "424242"] {
        assert!(!lines.iter().any(|line| line.contains(secret)), "{secret}: {lines:#?}");
    }
}

/// Says which trace it is called in, as the other end of a chain.
#[rpcx::service]
trait Last {
    async fn trace(&self, context: &Context) -> rpcx::Result<(String, Option<String>)>;
}

struct End;

impl Last for End {
    async fn trace(&self, context: &Context) -> rpcx::Result<(String, Option<String>)> {
        let parent = TraceContext::of(context.metadata()).expect("the client sent one");
        let own = context.trace_context().expect("the server traces");
        assert_eq!(TraceContext::current(), Some(own.clone()));
        assert_eq!(own.trace_id(), parent.trace_id());
        assert_ne!(own.span_id(), parent.span_id());
        Ok((parent.traceparent(), parent.tracestate().map(str::to_owned)))
    }
}

/// Calls [`Last`] in one way or another; gives its own trace and what the other was sent.
#[rpcx::service]
trait First {
    async fn ask(&self, context: &Context, how: String) -> rpcx::Result<[String; 3]>;
}

struct Asks {
    propagating: LastClient,
    plain: LastClient,
}

impl First for Asks {
    async fn ask(&self, context: &Context, how: String) -> rpcx::Result<[String; 3]> {
        let own = context.trace_context().expect("the server traces");
        let (sent, state) = match &*how {
            "current" => self.propagating.trace().await?,
            "inherit" => self.plain.trace().inherit(context).await?,
            "trait" => Last::trace(&self.plain, context).await?,
            "task" => {
                let client = self.propagating.clone();
                let call = async move { client.trace().await };
                tokio::spawn(own.clone().scope(call)).await.expect("it does not panic")?
            }
            _ => self.propagating.trace().metadata("traceparent", GO).await?,
        };
        Ok([own.traceparent(), sent, state.unwrap_or_default()])
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_handler_calls_belongs_to_the_same_trace() {
    let last = Server::new().add(LastServer::new(End)).interceptor(Tracing::new());
    let last = Running::in_memory(last).await;
    let propagating = LastClient::builder().interceptor(TracePropagation::new());
    let propagating = propagating.connect_to(last.address()).await.unwrap();
    let plain = LastClient::connect_to(last.address()).await.unwrap();
    let asks = FirstServer::new(Asks { propagating, plain });
    let first = Running::in_memory(Server::new().add(asks).interceptor(Tracing::new())).await;
    let client = FirstClient::connect_to(first.address()).await.unwrap();
    for how in ["current", "inherit", "trait", "task"] {
        let call = client.ask(how).metadata("traceparent", GO).metadata("tracestate", "a=1");
        let [own, sent, state] = soon(call.into_future()).await.unwrap();
        assert_eq!(sent, own, "{how}");
        assert_eq!(own[..35], GO[..35], "{how}");
        assert_ne!(own, GO, "{how}: a span of its own");
        assert_eq!(state, "a=1", "{how}");
    }
    let [own, sent, _] = soon(client.ask("own").into_future()).await.unwrap();
    assert_eq!(sent, GO, "what a call says itself counts more");
    assert_ne!(own[..35], GO[..35], "without a caller's trace one is begun");
    assert!(own.ends_with("-01"));
}

#[tokio::test(start_paused = true)]
async fn another_tracing_system_can_say_which_trace_a_call_belongs_to() {
    let theirs = TraceContext::new([7; 16], [8; 8], false).unwrap();
    let hook = theirs.clone();
    let server = Tracing::new().on_span(move |_, caller| caller.map(|_| hook.clone()));
    let last = Server::new().add(LastServer::new(End));
    let checked = Running::in_memory(last.interceptor(Tracing::new().unsampled())).await;
    let source = theirs.clone();
    let source = TracePropagation::from_source(move || Some(source.clone()));
    let client = LastClient::builder().interceptor(source);
    let client = client.connect_to(checked.address()).await.unwrap();
    let (sent, _) = soon(client.trace().into_future()).await.unwrap();
    assert_eq!(sent, theirs.traceparent());

    trace();
    let running =
        Running::in_memory(Server::new().add(Tester::service()).interceptor(server)).await;
    let mut raw = Raw::connect(running.address()).await;
    take_lines();
    raw.call(&Frame::mul(1).metadata("traceparent", GO)).await;
    let expected = format!("trace_id={} span_id={}", theirs.trace_id(), theirs.span_id());
    let spans = closed();
    assert!(spans[0].contains(&expected), "{spans:?}");
}

#[cfg(feature = "metrics")]
#[tokio::test]
async fn calls_and_connections_are_counted() {
    use rpcx::server::interceptor::ConcurrencyLimit;

    let recorder = recorder::Recorder::default();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let (service, mut probe) = Tester::gated();
    let limit = ConcurrencyLimit::new().method("Arith", "Wait", 1);
    let server = Server::new().add(service).interceptor(limit).metrics();
    let running = Running::in_memory(server).await;
    let mut raw = Raw::connect(running.address()).await;
    for seq in 0..2 {
        assert_eq!(raw.call(&Frame::mul(seq)).await, Answer::forty_two(seq));
    }
    raw.call(&Frame::call(2, "Error", &Text::new("no"))).await;
    raw.call(&Frame::call(3, "Panic", &Text::new("no"))).await;
    for name in ["Nope", "Nada"] {
        raw.call(&Frame { method: name.into(), ..Frame::mul(4) }).await;
    }
    let wait = Frame::call(5, "Wait", &Text::new("left"));
    raw.send(&wait).await;
    assert_eq!(probe.event().await, Event::started("left"));
    assert!(raw.call(&wait).await.result.is_err());
    let value = |name: &str, labels: &str| recorder.value(&format!("rpcx_server_{name}{labels}"));
    let method = |method: &str| format!(r#" service="Arith" method="{method}""#);
    assert_eq!(value("connections", ""), 1, "{recorder:#?}");
    assert_eq!(value("calls_in_flight", &method("Wait")), 1, "{recorder:#?}");
    assert_eq!(value("calls_in_flight", &method("Mul")), 0, "{recorder:#?}");
    drop(raw);
    assert_eq!(probe.event().await, Event::dropped("left"));
    soon(running.stop()).await.unwrap();
    for (method_name, outcome, count) in [
        ("Mul", "ok", 2),
        ("Error", "service_error", 1),
        ("Panic", "internal_error", 1),
        ("Wait", "not_executed", 1),
        ("Wait", "given_up", 1),
    ] {
        let labels = format!(r#"{} outcome="{outcome}""#, method(method_name));
        assert_eq!(value("calls_total", &labels), count, "{labels}: {recorder:#?}");
    }
    let unknown = r#" service="unknown" method="unknown""#;
    assert_eq!(value("call_seconds", unknown), 2, "{recorder:#?}");
    assert_eq!(value("call_seconds", &method("Wait")), 2, "{recorder:#?}");
    assert_eq!(value("calls_in_flight", &method("Wait")), 0, "{recorder:#?}");
    assert_eq!(value("connections", ""), 0, "{recorder:#?}");
    assert_eq!(value("connections_total", r#" outcome="accepted""#), 1, "{recorder:#?}");
}
