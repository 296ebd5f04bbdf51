//! Consul as a registry, with Go's keys, against a real Consul.
//!
//! These tests let Consul allow sessions of 3 s, to be done sooner; `registry_consul_usual.rs` has those
//! that are about its usual 10 s.
#![cfg(all(feature = "macros", feature = "consul"))]

#[path = "support/consul.rs"]
mod consul;
#[macro_use]
#[path = "support/registry/mod.rs"]
mod registry;

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use rpcx::registry::{Consul, ConsulLayout, Discover, Load, Reach, Register, Registry};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::Instant;

use consul::{ask, get, only, put};
use registry::{Bench, Follower, PrivateServer, Settings, announcement, soon, within};

struct ConsulBench;

impl Bench for ConsulBench {
    const NAME: &'static str = "consul";
    const ENVIRONMENT: &'static [(&'static str, &'static str)] =
        &[("RPCX_CONSUL_SESSION_TTL_MIN", "3s")];
    const TTL: Duration = Duration::from_secs(3);
    /// Consul ends a session between one and two times its time to live.
    const CRASHED: Duration = Duration::from_secs(2 * 3 + 1);
    const BACK: Duration = Duration::from_secs(3);
    const BACK_EMPTY: Duration = Duration::from_secs(3);
    const TOO_SHORT: &'static str = "session_ttl is 1s, Consul allows no less than 3s";

    fn registry(server: &str, settings: Settings) -> Arc<dyn Registry> {
        Arc::new(configured(server, &settings))
    }

    async fn read(server: &str, path: &str) -> Option<String> {
        ask(server, Method::GET, &format!("kv{path}?raw&consistent"), "").await
    }

    async fn write(server: &str, path: &str, value: &[u8]) {
        put(server, &format!("kv{path}"), value.to_vec()).await;
    }

    async fn delete(server: &str, path: &str) {
        ask(server, Method::DELETE, &format!("kv{path}"), "").await;
    }
}

registry_contract!(ConsulBench);

fn configured(server: &str, settings: &Settings) -> Consul {
    Consul::new(server.split(','))
        .base_path(settings.base_path)
        .update_interval(settings.update_interval)
        .session_ttl(settings.session_ttl)
        .metrics(settings.metrics)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn key_flags_and_session_are_those_of_go() {
    let Some(server) = PrivateServer::start::<ConsulBench>("key_flags_and_session_are_those_of_go")
    else {
        return;
    };
    let address = server.address();
    let registry = configured(address, &Settings::of::<ConsulBench>());
    let announcement = announcement("tcp@127.0.0.1:8983?weight=5").with_load(Load::default);
    let registration = registry.register("Arith", announcement);
    soon("registered", registration.registered()).await.unwrap();

    let keys = get(address, "kv/?keys").await.unwrap();
    let expected = ["rpcx_test", "rpcx_test/Arith", "rpcx_test/Arith/tcp@127.0.0.1:8983"];
    assert_eq!(keys, json!(expected));
    for (key, held) in expected.into_iter().zip([false, false, true]) {
        let entry = get(address, &format!("kv/{key}")).await.unwrap();
        let entry = only(&entry);
        assert_eq!(entry["Flags"], json!(0x2ddc_cbc0_58a5_0c18_u64), "{key}");
        assert_eq!(entry["Session"].is_string(), held, "{key}");
    }
    let sessions = get(address, "session/list").await.unwrap();
    let session = only(&sessions);
    assert_eq!(session["Behavior"], "delete");
    assert_eq!(session["LockDelay"], 1_000_000);
    assert_eq!(session["TTL"], "3s");
    assert_eq!(session["Name"], "");

    registration.withdraw().await;
    let mut left = get(address, "session/list").await.unwrap();
    while left != json!([]) {
        left = get(address, "session/list").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_services_of_a_process_share_a_session() {
    let Some(server) =
        PrivateServer::start::<ConsulBench>("all_services_of_a_process_share_a_session")
    else {
        return;
    };
    let address = server.address();
    let registry = configured(address, &Settings::of::<ConsulBench>());
    let one = registry.register("Arith", announcement("tcp@127.0.0.1:1"));
    let two = registry.clone().register("Greeter", announcement("tcp@127.0.0.1:1"));
    soon("registered", one.registered()).await.unwrap();
    soon("registered", two.registered()).await.unwrap();
    only(&get(address, "session/list").await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_somebody_ended_is_replaced_at_once() {
    let test = "a_session_that_somebody_ended_is_replaced_at_once";
    let Some(server) = PrivateServer::start::<ConsulBench>(test) else { return };
    let address = server.address();
    let registry = configured(address, &Settings::of::<ConsulBench>());
    let registration = registry.register("Arith", announcement("tcp@127.0.0.1:1"));
    soon("registered", registration.registered()).await.unwrap();
    let mut follower = Follower::new(Arc::new(registry), "Arith");
    follower.until_servers(&["tcp@127.0.0.1:1"]).await;

    let sessions = get(address, "session/list").await.unwrap();
    let id = only(&sessions)["ID"].as_str().unwrap();
    put(address, &format!("session/destroy/{id}"), "").await;
    follower.until_servers(&[]).await;
    let took = follower.until_servers(&["tcp@127.0.0.1:1"]).await;
    // Sooner than the next sign of life shows it, on average.
    within("consul", "session ended by somebody → written again", took, Duration::from_millis(900));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consul_that_hangs_until_its_sessions_end_changes_no_list() {
    let test = "a_consul_that_hangs_until_its_sessions_end_changes_no_list";
    let Some(server) = PrivateServer::start::<ConsulBench>(test) else { return };
    let registry = configured(server.address(), &Settings::of::<ConsulBench>());
    let registration = registry.register("Arith", announcement("tcp@127.0.0.1:1"));
    soon("registered", registration.registered()).await.unwrap();
    let mut follower = Follower::new(Arc::new(registry), "Arith");
    follower.until_servers(&["tcp@127.0.0.1:1"]).await;
    let list = follower.measure();

    let begun = Instant::now();
    server.pause();
    follower.until("lost", |list| matches!(list.reach(), Reach::Lost { .. })).await;
    within("consul", "hangs → noticed by a client", begun.elapsed(), Duration::from_secs(10));
    // Twice the time to live: the session ends as soon as Consul goes on.
    tokio::time::sleep_until(begun + Duration::from_secs(6)).await;
    server.resume();
    let took = follower.until("live", |list| matches!(list.reach(), Reach::Live)).await;
    within("consul", "goes on → seen by a client", took, Duration::from_secs(3));
    soon("registered", registration.registered()).await.unwrap();
    assert_eq!(follower.servers(), ["tcp@127.0.0.1:1"]);
    assert_eq!(list.length(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_that_another_process_took_over_is_left_to_it() {
    let test = "an_entry_that_another_process_took_over_is_left_to_it";
    let Some(server) = PrivateServer::start::<ConsulBench>(test) else { return };
    let settings = Settings::of::<ConsulBench>();
    let old = configured(server.address(), &settings);
    let old = old.register("Arith", announcement("tcp@127.0.0.1:1?weight=1"));
    soon("registered", old.registered()).await.unwrap();
    let new = configured(server.address(), &settings);
    let mut follower = Follower::new(Arc::new(new.clone()), "Arith");
    follower.until_servers(&["tcp@127.0.0.1:1?weight=1"]).await;
    let list = follower.measure();
    let new = new.register("Arith", announcement("tcp@127.0.0.1:1?weight=2"));
    soon("registered", new.registered()).await.unwrap();
    follower.until_servers(&["tcp@127.0.0.1:1?weight=2"]).await;

    old.withdraw().await;
    let key = ConsulBench::read(server.address(), "/rpcx_test/Arith/tcp@127.0.0.1:1").await;
    assert_eq!(key.as_deref(), Some("weight=2"));
    assert_eq!(list.length(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_ways_of_registering_go_together() {
    let Some(server) = PrivateServer::start::<ConsulBench>("both_ways_of_registering_go_together")
    else {
        return;
    };
    let address = server.address();
    let settings = Settings::of::<ConsulBench>();
    let both = configured(address, &settings).layout(ConsulLayout::Both);
    let registration = both.register("Arith", announcement("tcp@127.0.0.1:1?weight=5"));
    soon("registered", registration.registered()).await.unwrap();
    let native = configured(address, &settings).layout(ConsulLayout::Service);
    for registry in [both, native, configured(address, &settings)] {
        let mut follower = Follower::new(Arc::new(registry), "Arith");
        follower.until_servers(&["tcp@127.0.0.1:1?weight=5"]).await;
    }
    registration.withdraw().await;
    assert_eq!(get(address, "health/service/Arith?consistent").await.unwrap(), json!([]));
    assert_eq!(get(address, "kv/rpcx_test/Arith/?recurse&consistent").await, None);
}

#[tokio::test]
async fn what_is_no_endpoint_is_refused_without_a_consul() {
    for (endpoints, problem) in [
        (vec![], "no Consul endpoint is given"),
        (vec!["https://h:8501"], "`https://h:8501` asks for TLS, and none is configured"),
    ] {
        let consul = Consul::new(endpoints);
        let registration = consul.register("Arith", announcement("tcp@127.0.0.1:1"));
        assert_eq!(registration.registered().await.unwrap_err().to_string(), problem);
        let mut list = consul.discover("Arith");
        let snapshot =
            list.wait_for(|list| !matches!(list.reach(), Reach::Starting)).await.unwrap();
        assert!(matches!(snapshot.reach(), Reach::Lost { error, .. } if **error == *problem));
    }
}

/// Answers one request with `body`; gives the request.
async fn answer_once(listener: &TcpListener, body: &[u8]) -> String {
    let (mut stream, _) = listener.accept().await.expect("a request comes");
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await.expect("the request has an end"));
    }
    let head = format!(
        "HTTP/1.1 200 OK\r\nX-Consul-Index: 1\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.expect("the answer is read");
    // What is too long is not read to its end.
    let _ = stream.write_all(body).await;
    String::from_utf8(request).expect("a request without a body is text")
}

#[tokio::test]
async fn the_token_goes_with_each_request_and_long_answers_are_not_read() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = listener.local_addr().unwrap().to_string();
    let consul = Consul::new([&endpoint]).base_path("/a/b").token("a token");
    let mut list = consul.discover("Arith");
    for (path, body) in [
        ("/v1/status/leader", b"\"127.0.0.1:8300\"".to_vec()),
        ("/v1/kv/a%2Fb%2FArith%2F?recurse=&consistent=", vec![b' '; 16 * 1024 * 1024 + 1]),
    ] {
        let request = soon("a request", answer_once(&listener, &body)).await;
        let mut lines = request.lines();
        assert_eq!(lines.next(), Some(&*format!("GET {path} HTTP/1.1")));
        assert!(lines.any(|line| line == "x-consul-token: a token"), "{request}");
    }
    let lost = list.wait_for(|snapshot| matches!(snapshot.reach(), Reach::Lost { .. }));
    let snapshot = soon("lost", lost).await.unwrap();
    let problem = format!("{endpoint}: an answer has more than 16777216 bytes");
    assert!(matches!(snapshot.reach(), Reach::Lost { error, .. } if **error == *problem));
}

#[test]
fn messages_never_show_the_token() {
    let consul = Consul::new(["h:1"]).token("secret");
    assert!(!format!("{consul:?}").contains("secret"));
}
