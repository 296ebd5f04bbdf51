//! Consul as a registry, with its usual `session_ttl_min` of 10 s.
#![cfg(feature = "consul")]

#[path = "support/consul.rs"]
mod consul;
#[macro_use]
#[path = "support/registry/mod.rs"]
mod registry;

use std::sync::Arc;
use std::time::Duration;

use rpcx::registry::{Consul, Register as _, Registry};

use consul::{get, only};
use registry::{Bench, Settings, announcement, soon};

struct UsualConsul;

impl Bench for UsualConsul {
    const NAME: &'static str = "consul";
    const TTL: Duration = Duration::from_secs(10);
    const CRASHED: Duration = Duration::from_secs(2 * 10 + 1);
    const BACK: Duration = Duration::from_secs(3);
    const BACK_EMPTY: Duration = Duration::from_secs(3);
    const TOO_SHORT: &'static str = "session_ttl is 1s, Consul allows no less than 10s";

    fn registry(server: &str, settings: Settings) -> Arc<dyn Registry> {
        let consul = Consul::new([server])
            .base_path(settings.base_path)
            .update_interval(settings.update_interval)
            .session_ttl(settings.session_ttl)
            .metrics(settings.metrics);
        Arc::new(consul)
    }

    async fn read(server: &str, path: &str) -> Option<String> {
        consul::ask(server, reqwest::Method::GET, &format!("kv{path}?raw"), "").await
    }

    async fn write(server: &str, path: &str, value: &[u8]) {
        consul::put(server, &format!("kv{path}"), value.to_vec()).await;
    }

    async fn delete(server: &str, path: &str) {
        consul::ask(server, reqwest::Method::DELETE, &format!("kv{path}"), "").await;
    }
}

registry_contract! { UsualConsul:
    a_server_that_crashes_is_gone_within_the_promise,
    a_registry_that_restarts_changes_no_list,
    a_registry_that_lost_its_data_gets_it_back,
    wrong_settings_are_refused,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_short_update_interval_raises_the_time_to_live() {
    let test = "a_short_update_interval_raises_the_time_to_live";
    let Some(server) = registry::PrivateServer::start::<UsualConsul>(test) else { return };
    let registry = Consul::new([server.address()]).update_interval(Duration::from_secs(1));
    let registration = registry.register("Arith", announcement("tcp@127.0.0.1:1"));
    soon("registered", registration.registered()).await.unwrap();
    let sessions = get(server.address(), "session/list").await.unwrap();
    assert_eq!(only(&sessions)["TTL"], "10s");
}
