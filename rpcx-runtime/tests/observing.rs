//! What a client tells of its calls: spans, counters, the state of its servers, and no secrets.
#![cfg(feature = "macros")]

#[cfg(feature = "metrics")]
use std::future::IntoFuture as _;
use std::sync::Once;

use rpcx::client::ServerHealth;
use rpcx::client::selector::{Candidate, Selection, Selector};
use rpcx::registry::MultipleServers;
use rpcx::{FailMode, Server};
use tracing_subscriber::fmt::format::FmtSpan;

#[path = "support/client.rs"]
#[allow(dead_code, reason = "each test file uses a part")]
mod support;

#[path = "support/trace_log.rs"]
#[allow(dead_code, reason = "each test file uses a part")]
mod trace_log;

#[cfg(feature = "metrics")]
#[path = "support/recorder.rs"]
mod recorder;

use support::{ArithClient, ArithServer, Calculator, args, serve};
use trace_log::{Log, lines};

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

/// A client of one server that is there and of one that is not.
async fn half_a_cluster(name: &str) -> (ArithClient, String) {
    let server = Server::new().add(ArithServer::new(Calculator));
    let address = serve(server, &format!("memory@{name}-there")).await;
    let gone = format!("memory@{name}-gone");
    let servers = MultipleServers::new([&address, &gone]).unwrap();
    let builder = ArithClient::builder().registry(servers).fail_mode(FailMode::Failover);
    let builder = builder.auth("canary-token").select(rpcx::SelectMode::RoundRobin);
    #[cfg(feature = "metrics")]
    let builder = builder.metrics();
    (builder.connect().await.unwrap(), address)
}

#[tokio::test]
async fn a_call_and_each_of_its_attempts_are_spans() {
    trace();
    let (arith, _) = half_a_cluster("spans").await;
    for _ in 0..2 {
        assert_eq!(arith.add(args(6, 7)).await.unwrap().c, 13);
    }
    let closed = |span: &str| {
        let is_it = |line: &String| line.contains(": close") && line.contains(span);
        lines().into_iter().filter(is_it).count()
    };
    let call = r#" rpcx.call{service="Arith" method="Add" outcome="ok"}: "#;
    assert_eq!(closed(call), 2, "{:#?}", lines());
    let failed = r#":rpcx.attempt{server=memory@spans-gone number=1 outcome="connect"}: "#;
    assert_eq!(closed(failed), 1, "{:#?}", lines());
    let second = r#":rpcx.attempt{server=memory@spans-there number=2 outcome="ok"}: "#;
    assert_eq!(closed(second), 1, "{:#?}", lines());
}

#[tokio::test]
async fn nothing_that_is_traced_has_a_secret() {
    trace();
    let (arith, _) = half_a_cluster("secrets").await;
    for _ in 0..4 {
        let call = arith.add(args(424_242, 7)).metadata("key", "canary-value");
        assert_eq!(call.await.unwrap().c, 424_249);
    }
    let lines = lines();
    assert!(lines.len() > 5, "something is traced: {lines:#?}");
    for secret in ["canary", "424242", "424249"] {
        assert!(!lines.iter().any(|line| line.contains(secret)), "{secret}: {lines:#?}");
    }
}

#[tokio::test]
async fn a_client_tells_how_its_servers_do() {
    let (arith, address) = half_a_cluster("status").await;
    for _ in 0..2 {
        arith.add(args(6, 7)).await.unwrap();
    }
    let mut status = rpcx::Client::channel(&arith).status();
    status.sort_by_key(|server| server.address.to_string() != address);
    let states: Vec<_> =
        status.iter().map(|one| (one.health, one.connections, one.pending)).collect();
    assert_eq!(states, [(ServerHealth::Good, 1, 0), (ServerHealth::Unreachable, 0, 0)]);
    assert!(status.iter().all(|server| server.breaker.is_none()));
}

#[tokio::test]
async fn a_selector_that_chooses_nobody_is_warned_of_once() {
    #[derive(Debug)]
    struct Beyond;

    impl Selector for Beyond {
        fn select(&self, candidates: &[Candidate], _: &Selection<'_>) -> Option<usize> {
            Some(candidates.len())
        }
    }

    trace();
    let servers = MultipleServers::new(["memory@beyond"]).unwrap();
    let builder = ArithClient::builder().registry(servers).selector(Beyond);
    let arith = builder.connect().await.unwrap();
    for _ in 0..3 {
        assert!(matches!(arith.add(args(1, 2)).await, Err(rpcx::Error::NoServer { .. })));
    }
    let is_warning = |line: &&String| line.contains("chose a server that does not exist");
    assert_eq!(lines().iter().filter(is_warning).count(), 1, "{:#?}", lines());
}

#[cfg(feature = "metrics")]
#[tokio::test]
async fn calls_attempts_and_connections_are_counted() {
    let recorder = recorder::Recorder::default();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let (arith, _) = half_a_cluster("counted").await;
    for _ in 0..2 {
        arith.add(args(6, 7)).await.unwrap();
    }
    let call = r#"rpcx_client_calls_total service="Arith" method="Add" outcome="ok""#;
    assert_eq!(recorder.value(call), 2, "{recorder:#?}");
    let attempt = |server: &str, outcome: &str| {
        recorder.value(&format!(
            r#"rpcx_client_attempts_total server="memory@counted-{server}" outcome="{outcome}""#
        ))
    };
    assert_eq!((attempt("gone", "connect"), attempt("there", "ok")), (1, 2), "{recorder:#?}");
    let open = r#"rpcx_client_connections server="memory@counted-there""#;
    assert_eq!(recorder.value(open), 1, "{recorder:#?}");
    let times = r#"rpcx_client_call_seconds service="Arith" method="Add""#;
    assert_eq!(recorder.value(times), 2, "{recorder:#?}");

    let mut call = Box::pin(arith.add(args(1, 1)).into_future());
    assert!(support::is_pending(&mut call).await);
    drop(call);
    let given_up = r#"rpcx_client_calls_total service="Arith" method="Add" outcome="given_up""#;
    assert_eq!(recorder.value(given_up), 1, "{recorder:#?}");
    drop(arith);
    support::settle().await;
    assert_eq!(recorder.value(open), 0, "{recorder:#?}");
}
