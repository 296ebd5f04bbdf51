//! Registries that attributes name and the environment moves, against real ones. The programs are this
//! test's, each in a process of its own.
#![cfg(all(feature = "macros", any(feature = "consul", feature = "etcd", feature = "zookeeper")))]

#[cfg(feature = "consul")]
#[path = "support/consul.rs"]
mod consul_as_operator;
#[path = "support/registry/mod.rs"]
mod registry;
mod support;

use std::sync::Arc;

use registry::{Counter, Follower, PrivateServer};
use rpcx::client::Channel;
use rpcx::registry::{RegistrationState, Registry};
use rpcx::{Client as _, Result, Server};
use support::{TCP, runs_here, soon, with_environment};
use tokio::sync::oneshot;

/// A server that runs.
type Serving = tokio::task::JoinHandle<()>;

/// Answers with its name.
struct Named;

/// Makes services of a registry that is nowhere unless the environment says so, and their tests.
macro_rules! registries {
    ($($feature:literal $module:ident, $registry:ident, $servers:literal, $tls:literal;)*) => {$(
        #[cfg(feature = $feature)]
        mod $module {
            use super::*;

            #[rpcx::service]
            #[rpcx(registry = $feature, servers = "127.0.0.1:1", base_path = "/attribute")]
            trait First {
                async fn first(&self) -> Result<String>;
            }

            #[rpcx::service]
            #[rpcx(registry = $feature, servers = "127.0.0.1:1", base_path = "/attribute")]
            trait Second {
                async fn second(&self) -> Result<String>;
            }

            impl First for Named {
                async fn first(&self) -> Result<String> {
                    Ok("first".to_owned())
                }
            }

            impl Second for Named {
                async fn second(&self) -> Result<String> {
                    Ok("second".to_owned())
                }
            }

            /// Serves both services, in the attributes' registry, and calls them; gives where.
            async fn serve_and_call() -> (String, Serving) {
                let server = Server::new().add(FirstServer::new(Named));
                let bound = server.add(SecondServer::new(Named)).bind(TCP).await.unwrap();
                let (registrations, address) = (bound.registrations(), bound.local_addr().to_string());
                let serving = tokio::spawn(bound.serve());
                // In a runtime of one thread the server has its turn here, and begins to register.
                tokio::task::yield_now().await;
                for service in ["First", "Second"] {
                    let mut state = registrations.watch(service).expect("the server registers");
                    let is_there = |state: &_| matches!(state, RegistrationState::Registered);
                    state.wait_for(is_there).await.unwrap();
                }
                let first = FirstClient::connect().await.unwrap();
                let second = SecondClient::connect().await.unwrap();
                assert_eq!(first.first().await.unwrap(), "first");
                assert_eq!(second.second().await.unwrap(), "second");
                (address, serving)
            }

            /// Follows a service in the namespace `/staging`.
            fn follower(service: &str) -> Follower {
                let servers = std::env::var($servers).expect("the environment says where it is");
                let registry: Arc<dyn Registry> =
                    Arc::new(rpcx::registry::$registry::new([servers]).base_path("/staging"));
                Follower::new(registry, service)
            }

            #[test]
            fn servers_and_base_path_are_those_of_the_environment() {
                let test = concat!(
                    stringify!($module),
                    "::servers_and_base_path_are_those_of_the_environment"
                );
                let Ok(server) = start($feature, test) else { return };
                let server = server.as_ref().map_or("", PrivateServer::address);
                let set = [($servers, server), ("RPCX_BASE_PATH", "/staging")];
                with_environment(test, &set, async {
                    let (address, _serving) = serve_and_call().await;
                    for service in ["First", "Second"] {
                        let mut follower = follower(service);
                        follower.until("a server", |list| !list.instances().is_empty()).await;
                        let list = follower.snapshot();
                        let servers = list.instances().iter().map(|at| at.address().to_string());
                        assert_eq!(servers.collect::<Vec<_>>(), [address.as_str()]);
                    }
                });
            }

            #[cfg(feature = $tls)]
            #[test]
            fn tls_is_that_of_the_environment() {
                let test = concat!(stringify!($module), "::tls_is_that_of_the_environment");
                let authority = registry::Authority::new("one");
                let files = registry::Folder::new();
                let registry::Pair { certificate, key } = authority.sign(&[]);
                let authorities = files.write("ca.pem", authority.certificate());
                let certificate = files.write("client.pem", &certificate);
                let key = files.write("client.key", &key);
                let mut set = vec![
                    ("RPCX_REGISTRY_CA", authorities.as_str()),
                    ("RPCX_REGISTRY_CERTIFICATE", &certificate),
                    ("RPCX_REGISTRY_KEY", &key),
                ];
                let known = registry::Clients::WithCertificate;
                let server = || registry::EncryptedServer::start($feature, &authority, known, test);
                let server = if runs_here(test) { None } else { server() };
                match &server {
                    Some(server) => set.push(($servers, server.address())),
                    None if runs_here(test) => {}
                    None => return,
                }
                with_environment(test, &set, async {
                    let _serving = serve_and_call().await;
                });
            }

            #[test]
            fn servers_are_found_all_are_told_and_each_is_gone_when_it_stops() {
                let test = concat!(
                    stringify!($module),
                    "::servers_are_found_all_are_told_and_each_is_gone_when_it_stops"
                );
                let Ok(server) = start($feature, test) else { return };
                let set = [($servers, server.as_ref().map_or("", PrivateServer::address))];
                with_environment(test, &set, async {
                    let [one, two] = [Stoppable::start().await, Stoppable::start().await];
                    let client = FirstClient::connect().await.unwrap();
                    until_servers(client.channel(), &[&one.address, &two.address]).await;
                    assert_eq!(client.first().await.unwrap(), "first");
                    let told = client.first().inform().await.unwrap();
                    assert_eq!(told.len(), 2);
                    assert!(told.iter().all(|receipt| receipt.result.is_ok()), "{told:?}");
                    two.stop.send(()).unwrap();
                    until_servers(client.channel(), &[&one.address]).await;
                    assert_eq!(client.first().inform().await.unwrap().len(), 1);
                    one.stop.send(()).unwrap();
                    until_servers(client.channel(), &[]).await;
                });
            }

            /// A server of the first service, in the attribute's registry.
            struct Stoppable {
                address: String,
                stop: oneshot::Sender<()>,
            }

            impl Stoppable {
                async fn start() -> Self {
                    let bound = Server::new().add(FirstServer::new(Named)).bind(TCP).await.unwrap();
                    let address = bound.local_addr().to_string();
                    let (stop, stopped) = oneshot::channel();
                    tokio::spawn(bound.serve_until(async { drop(stopped.await) }));
                    Self { address, stop }
                }
            }

            #[test]
            fn services_of_a_process_share_a_connection() {
                let test =
                    concat!(stringify!($module), "::services_of_a_process_share_a_connection");
                let Ok(server) = start($feature, test) else { return };
                let counter = server.as_ref().map(|server| Counter::before(server.address()));
                let set = [($servers, counter.as_ref().map_or("", Counter::address))];
                with_environment(test, &set, async {
                    let _serving = serve_and_call().await;
                    #[cfg(feature = "consul")]
                    if $feature == "consul" {
                        let server = std::env::var($servers).expect("the environment has it");
                        let sessions = consul_as_operator::get(&server, "session/list").await;
                        consul_as_operator::only(&sessions.expect("there is a list"));
                    }
                });
                // Consul's interface is HTTP: a session is what stands for a connection there.
                if let Some(counter) = counter && $feature != "consul" {
                    assert_eq!(counter.connections(), 1);
                }
            }
        }
    )*};
}

registries! {
    "etcd" etcd, Etcd, "RPCX_ETCD_SERVERS", "tls";
    "zookeeper" zookeeper, ZooKeeper, "RPCX_ZOOKEEPER_SERVERS", "zookeeper-tls";
    "consul" consul, Consul, "RPCX_CONSUL_SERVERS", "tls";
}

#[cfg(all(feature = "etcd", feature = "consul"))]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_stands_in_two_registries_until_its_server_stops() {
    use rpcx::registry::{Consul, Etcd};

    #[rpcx::service]
    trait Both {
        async fn both(&self) -> Result<String>;
    }

    impl Both for Named {
        async fn both(&self) -> Result<String> {
            Ok("both".to_owned())
        }
    }

    let test = "a_service_stands_in_two_registries_until_its_server_stops";
    let private = |name| PrivateServer::start_with(name, Vec::new(), test);
    let (Some(at_etcd), Some(at_consul)) = (private("etcd"), private("consul")) else { return };
    let etcd = || Etcd::new([at_etcd.address()]).base_path("/moving");
    let consul = || Consul::new([at_consul.address()]).base_path("/moving");
    let server = Server::new().add(BothServer::new(Named)).registry(etcd()).registry(consul());
    let bound = server.bind(TCP).await.unwrap();
    let (registrations, address) = (bound.registrations(), bound.local_addr().to_string());
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(bound.serve_until(async { drop(stopped.await) }));
    tokio::task::yield_now().await;
    for mut entry in registrations.watch_each("Both") {
        let is_there = |state: &_| matches!(state, RegistrationState::Registered);
        entry.wait_for(is_there).await.unwrap();
    }
    let old = BothClient::builder().registry(etcd()).connect().await.unwrap();
    let new = BothClient::builder().registry(consul()).connect().await.unwrap();
    for client in [&old, &new] {
        assert_eq!(client.both().await.unwrap(), "both");
        until_servers(client.channel(), &[&address]).await;
    }
    stop.send(()).unwrap();
    for client in [&old, &new] {
        until_servers(client.channel(), &[]).await;
    }
    soon(serving).await.unwrap();
}

#[cfg(all(feature = "etcd", feature = "consul"))]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_that_is_given_twice_lists_the_server_once_until_it_stops() {
    #[rpcx::service]
    trait Twice {
        async fn twice(&self) -> Result<String>;
    }

    impl Twice for Named {
        async fn twice(&self) -> Result<String> {
            Ok("twice".to_owned())
        }
    }

    let test = "a_registry_that_is_given_twice_lists_the_server_once_until_it_stops";
    for name in ["etcd", "consul"] {
        let Some(place) = PrivateServer::start_with(name, Vec::new(), test) else { return };
        let registry = || -> Arc<dyn Registry> {
            let servers = [place.address()];
            match name {
                "etcd" => Arc::new(rpcx::registry::Etcd::new(servers).base_path("/twice")),
                _ => Arc::new(rpcx::registry::Consul::new(servers).base_path("/twice")),
            }
        };
        let server = Server::new().add(TwiceServer::new(Named));
        let bound = server.registry(registry()).registry(registry()).bind(TCP).await.unwrap();
        let (registrations, address) = (bound.registrations(), bound.local_addr().to_string());
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(bound.serve_until(async { drop(stopped.await) }));
        tokio::task::yield_now().await;
        let mut entry = registrations.watch("Twice").expect("the server registers");
        let is_there = |state: &_| matches!(state, RegistrationState::Registered);
        soon(entry.wait_for(is_there)).await.unwrap();
        let client = TwiceClient::builder().registry(registry()).connect().await.unwrap();
        until_servers(client.channel(), &[&address]).await;
        assert_eq!(client.twice().await.unwrap(), "twice");
        stop.send(()).unwrap();
        soon(serving).await.unwrap();
        until_servers(client.channel(), &[]).await;
        // And nobody writes it again.
        let late = TwiceClient::builder().registry(registry()).connect().await.unwrap();
        assert!(late.channel().servers().is_empty(), "{name}");
    }
}

/// Waits until a channel uses these servers, in whatever order.
async fn until_servers(channel: &Channel, expected: &[&str]) {
    let mut expected: Vec<_> = expected.iter().map(ToString::to_string).collect();
    expected.sort();
    soon(async {
        loop {
            let mut servers: Vec<_> = channel.servers().iter().map(ToString::to_string).collect();
            servers.sort();
            if servers == expected {
                return;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// Starts a registry, unless this process is the one that is to use it; fails if the test is skipped.
fn start(name: &'static str, test: &str) -> std::result::Result<Option<PrivateServer>, ()> {
    if runs_here(test) {
        return Ok(None);
    }
    PrivateServer::start_with(name, Vec::new(), test).map(Some).ok_or(())
}
