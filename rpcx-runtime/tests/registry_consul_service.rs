//! Consul as a registry, with native services, against a real Consul.
#![cfg(feature = "consul")]

#[path = "support/consul.rs"]
mod consul;
#[macro_use]
#[path = "support/registry/mod.rs"]
mod registry;

use std::sync::Arc;
use std::time::Duration;

use rpcx::registry::{Consul, ConsulLayout, Register as _, Registry};
use serde_json::json;

use consul::{get, only, put};
use registry::{Bench, Follower, PrivateServer, Settings, announcement, soon};

struct NativeServices;

impl Bench for NativeServices {
    const NAME: &'static str = "consul";
    const TTL: Duration = Duration::from_secs(2);
    /// A check fails after its time to live, not later.
    const CRASHED: Duration = Duration::from_secs(3);
    const BACK: Duration = Duration::from_secs(3);
    const BACK_EMPTY: Duration = Duration::from_secs(3);
    const SHORT: Duration = Duration::from_millis(500);
    const TOO_SHORT: &'static str = "session_ttl is 500ms, Consul allows no less than 1s";

    fn registry(server: &str, settings: Settings) -> Arc<dyn Registry> {
        Arc::new(configured(server, &settings))
    }

    async fn read(server: &str, path: &str) -> Option<String> {
        let service = get(server, &format!("agent/service/{}", id(path))).await?;
        Some(service["Meta"]["rpcx_metadata"].as_str()?.to_owned())
    }

    /// Registers the service again, as a command line tool would, without its check.
    async fn write(server: &str, path: &str, value: &[u8]) {
        let id = id(path);
        let known = get(server, &format!("agent/service/{id}")).await.expect("it is there");
        let query = std::str::from_utf8(value).expect("the query is text");
        let service = json!({
            "ID": id,
            "Name": known["Service"],
            "Address": known["Address"],
            "Port": known["Port"],
            "Meta": { "rpcx_metadata": query, "rpcx_network": "tcp" },
        });
        put(server, "agent/service/register", service.to_string()).await;
    }

    async fn delete(server: &str, path: &str) {
        put(server, &format!("agent/service/deregister/{}", id(path)), "").await;
    }
}

rules_of_places!(NativeServices);
registry_contract! { NativeServices:
    a_server_that_crashes_is_gone_within_the_promise,
    a_registry_that_restarts_changes_no_list,
    a_registry_that_lost_its_data_gets_it_back,
    a_registry_that_hangs_changes_no_list,
    a_registry_that_is_away_at_first_is_waited_for,
    servers_of_several_processes_are_listed,
    a_server_that_restarts_is_listed_all_the_time,
    an_operators_edit_survives_updates,
    an_operators_edit_survives_a_restart_of_the_registry,
    an_entry_that_was_deleted_is_written_again,
    without_metrics_an_entry_is_as_announced,
    wrong_settings_are_refused,
}

fn configured(server: &str, settings: &Settings) -> Consul {
    Consul::new([server])
        .base_path(settings.base_path)
        .update_interval(settings.update_interval)
        .session_ttl(settings.session_ttl)
        .metrics(settings.metrics)
        .layout(ConsulLayout::Service)
}

/// Gives the id of the service that `/rpcx_test/Arith/tcp@127.0.0.1:1` stands for.
fn id(path: &str) -> String {
    path.trim_start_matches("/rpcx_test/").replacen('/', "-", 1)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_and_its_check_are_consuls_own() {
    let test = "a_service_and_its_check_are_consuls_own";
    let Some(server) = PrivateServer::start::<NativeServices>(test) else { return };
    let registry = configured(server.address(), &Settings::of::<NativeServices>());
    let registration = registry.register("Arith", announcement("tcp@127.0.0.1:8972?weight=5"));
    soon("registered", registration.registered()).await.unwrap();

    let found = get(server.address(), "health/service/Arith?passing&consistent").await.unwrap();
    let service = &only(&found)["Service"];
    assert_eq!(service["ID"], "Arith-tcp@127.0.0.1:8972");
    assert_eq!((&service["Address"], &service["Port"]), (&json!("127.0.0.1"), &json!(8972)));
    let meta = json!({ "rpcx_metadata": "weight=5", "rpcx_network": "tcp", "weight": "5" });
    assert_eq!(service["Meta"], meta);
    let checks = get(server.address(), "agent/checks").await.unwrap();
    let check = &checks["service:Arith-tcp@127.0.0.1:8972"];
    assert_eq!((&check["Type"], &check["Status"]), (&json!("ttl"), &json!("passing")));
    assert_eq!(get(server.address(), "session/list").await.unwrap(), json!([]));
    registration.withdraw().await;
    assert_eq!(get(server.address(), "agent/services").await.unwrap(), json!({}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_another_tool_registered_is_found() {
    let test = "a_service_that_another_tool_registered_is_found";
    let Some(server) = PrivateServer::start::<NativeServices>(test) else { return };
    let registry = configured(server.address(), &Settings::of::<NativeServices>());
    let mut follower = Follower::new(Arc::new(registry), "Arith");
    let service = json!({ "Name": "Arith", "Port": 8972, "Meta": { "weight": "5" } });
    put(server.address(), "agent/service/register", service.to_string()).await;
    follower.until_servers(&["tcp@127.0.0.1:8972?weight=5"]).await;
}
