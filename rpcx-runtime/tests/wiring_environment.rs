//! What the environment says about registries. Every test runs in a process of its own.
#![cfg(feature = "macros")]

mod support;

use rpcx::registry::{Discover as _, InProcess, MultipleServers, PeerToPeer};
use rpcx::{Client as _, Instance, Result, Server};

use support::{Running, TCP, memory_address, with_environment};

/// Is written down in this process, unless the environment says more.
#[rpcx::service]
#[rpcx(registry = "inprocess", weight = 5)]
trait Local {
    async fn who(&self) -> Result<String>;
}

/// Is at a fixed server, unless the environment says more.
#[rpcx::service]
#[rpcx(registry = "peer2peer", servers = "memory@attribute")]
trait Fixed {
    async fn who(&self) -> Result<String>;
}

/// Has no registry, unless the environment says more.
#[rpcx::service]
trait Plain {
    async fn who(&self) -> Result<String>;
}

/// Answers with its name.
struct Named(&'static str);

macro_rules! answers_with_its_name {
    ($($service:ident),+) => {
        $(impl $service for Named {
            async fn who(&self) -> Result<String> {
                Ok(self.0.to_owned())
            }
        })+
    };
}

answers_with_its_name!(Local, Fixed, Plain);

async fn serve(address: &str, name: &'static str) -> Running {
    let server = Server::new().without_registry().add(LocalServer::new(Named(name)));
    let server = server.add(FixedServer::new(Named(name))).add(PlainServer::new(Named(name)));
    Running::at(address, server).await
}

fn local() -> Server {
    Server::new().add(LocalServer::new(Named("local")))
}

/// Gives the entries of `Local` in this process.
fn entries() -> Vec<String> {
    let list = InProcess::new().discover("Local");
    let list = list.borrow();
    let text = |instance: &Instance| format!("{}?{}", instance.address(), instance.metadata());
    list.instances().iter().map(text).collect()
}

/// What goes wrong when a client connects, and when a server listens.
async fn errors() -> (String, Vec<String>) {
    let client = LocalClient::connect().await.expect_err("the environment is wrong");
    let server = local().bind(&memory_address()).await.expect_err("the environment is wrong");
    (client.to_string(), server.problems().to_vec())
}

/// Checks that clients and servers are told `text`.
async fn assert_wrong(text: &str) {
    assert_eq!(errors().await, (format!("no server: {text}"), vec![text.to_owned()]));
    // Who was told a registry by its builder does not ask.
    let builder = LocalClient::builder().registry(InProcess::new());
    drop(builder.connect().await.expect("the builder counts more"));
    let server = local().registry(InProcess::new()).bind(&memory_address()).await;
    drop(server.expect("the builder counts more"));
    let server = local().without_registry().bind(&memory_address()).await;
    drop(server.expect("the builder counts more"));
    // And who was told an address has no use for one.
    drop(LocalClient::builder().connect_lazily(&memory_address()).expect("an address"));
}

#[test]
fn one_fixed_server() {
    let set = [("RPCX_REGISTRY", "peer2peer://memory@environment")];
    with_environment("one_fixed_server", &set, async {
        let _running = serve("memory@environment", "environment").await;
        let local = LocalClient::connect().await.unwrap();
        assert_eq!(local.who().await.unwrap(), "environment");
        let fixed = FixedClient::connect().await.unwrap();
        assert_eq!(fixed.who().await.unwrap(), "environment");
        // A service that has no registry of its own has this one, too.
        let plain = PlainClient::connect().await.unwrap();
        assert_eq!(plain.who().await.unwrap(), "environment");
    });
}

#[test]
fn a_fixed_list() {
    let list = "multiple://memory@first?weight=2, memory@second?state=inactive,tcp@[::1]:8972";
    with_environment("a_fixed_list", &[("RPCX_REGISTRY", list)], async {
        let client = LocalClient::connect().await.unwrap();
        let servers = client.channel().servers();
        let servers: Vec<_> = servers.iter().map(ToString::to_string).collect();
        assert_eq!(servers, ["memory@first", "tcp@[::1]:8972"]);
    });
}

#[test]
fn the_servers_of_this_process() {
    let set = [("RPCX_REGISTRY", "inprocess://")];
    with_environment("the_servers_of_this_process", &set, async {
        let server = Server::new().add(PlainServer::new(Named("a")));
        let _running = Running::in_memory(server.add(FixedServer::new(Named("b")))).await;
        let plain = PlainClient::connect().await.unwrap();
        assert_eq!(plain.who().await.unwrap(), "a");
        let fixed = FixedClient::connect().await.unwrap();
        assert_eq!(fixed.who().await.unwrap(), "b");
    });
}

#[test]
fn no_registry() {
    with_environment("no_registry", &[("RPCX_REGISTRY", "none")], async {
        let running = Running::in_memory(local()).await;
        assert!(entries().is_empty());
        let error = LocalClient::connect().await.err().unwrap();
        assert!(error.to_string().starts_with("no server: `Local` has no registry"), "{error}");
        let client = LocalClient::connect_to(running.address()).await.unwrap();
        assert_eq!(client.who().await.unwrap(), "local");
        // The builder's word counts more.
        let _listed = Running::in_memory(local().registry(InProcess::new())).await;
        assert_eq!(entries().len(), 1);
        let client = LocalClient::builder().registry(InProcess::new()).connect().await.unwrap();
        assert_eq!(client.who().await.unwrap(), "local");
    });
}

#[test]
fn an_empty_variable_says_nothing() {
    let set = [("RPCX_REGISTRY", ""), ("RPCX_SERVICE_ADDRESS", "")];
    with_environment("an_empty_variable_says_nothing", &set, async {
        let running = Running::in_memory(local()).await;
        assert_eq!(entries(), [format!("{}?weight=5", running.address())]);
        assert!(LocalClient::connect().await.is_ok());
    });
}

#[test]
fn what_is_no_url() {
    with_environment("what_is_no_url", &[("RPCX_REGISTRY", "consul")], async {
        let text = "RPCX_REGISTRY is `none` or a URL such as \
                    `consul://127.0.0.1:8500/rpcx_test`, not `consul`";
        assert_wrong(text).await;
    });
}

#[test]
fn a_registry_that_nobody_knows() {
    let set = [("RPCX_REGISTRY", "eureka://127.0.0.1:8761")];
    with_environment("a_registry_that_nobody_knows", &set, async {
        let known = "peer2peer, multiple, zookeeper, etcd, consul, mdns, inprocess";
        assert_wrong(&format!("unknown registry \"eureka\" (known: {known})")).await;
    });
}

#[test]
fn a_fixed_server_that_is_none() {
    with_environment("a_fixed_server_that_is_none", &[("RPCX_REGISTRY", "peer2peer://")], async {
        assert_wrong("`peer2peer` takes one server: `tcp@host:port`").await;
    });
}

#[test]
fn a_list_with_a_wrong_address() {
    let set = [("RPCX_REGISTRY", "multiple://memory@a,quic@b:1")];
    with_environment("a_list_with_a_wrong_address", &set, async {
        let (client, server) = errors().await;
        assert!(client.contains("quic") && client.contains("tcp, unix, memory"), "{client}");
        assert_eq!([client], [format!("no server: {}", server.concat())]);
    });
}

#[cfg(not(feature = "etcd"))]
#[test]
fn a_registry_whose_feature_is_off() {
    let set = [("RPCX_REGISTRY", "etcd://127.0.0.1:2379/rpcx_test")];
    with_environment("a_registry_whose_feature_is_off", &set, async {
        let text = "registry \"etcd\" needs the cargo feature `etcd` of `rpcx-runtime`: in Cargo.toml \
                    write `rpcx-runtime = { …, features = [\"etcd\"] }`";
        assert_wrong(text).await;
    });
}

#[cfg(feature = "etcd")]
#[test]
fn tls_that_cannot_be() {
    let etcd = ("RPCX_REGISTRY", "etcd://127.0.0.1:2379/rpcx_test");
    let set = [etcd, ("RPCX_REGISTRY_CA", "/nowhere/ca.pem")];
    with_environment("tls_that_cannot_be", &set, async {
        #[cfg(feature = "tls")]
        let text = "RPCX_REGISTRY_CA is `/nowhere/ca.pem`: No such file or directory (os error 2)";
        #[cfg(not(feature = "tls"))]
        let text = "RPCX_REGISTRY_CA is set, which needs the cargo feature `tls` of `rpcx-runtime`: in \
                    Cargo.toml write `rpcx-runtime = { …, features = [\"tls\"] }`";
        assert_wrong(text).await;
    });
}

#[cfg(feature = "etcd")]
#[test]
fn a_certificate_without_its_key() {
    let etcd = ("RPCX_REGISTRY", "etcd://127.0.0.1:2379/rpcx_test");
    let set = [etcd, ("RPCX_REGISTRY_CA", "ca.pem"), ("RPCX_REGISTRY_CERTIFICATE", "own.pem")];
    with_environment("a_certificate_without_its_key", &set, async {
        assert_wrong("RPCX_REGISTRY_CERTIFICATE is set, and RPCX_REGISTRY_KEY is not").await;
    });
}

#[test]
fn the_address_for_others() {
    let set = [("RPCX_SERVICE_ADDRESS", "tcp@rpc.example:8972")];
    with_environment("the_address_for_others", &set, async {
        let running = Running::at(TCP, local()).await;
        assert_ne!(running.address(), "tcp@rpc.example:8972");
        assert_eq!(entries(), ["tcp@rpc.example:8972?weight=5"]);
    });
}

#[test]
fn the_builders_address_for_others() {
    let set = [("RPCX_SERVICE_ADDRESS", "tcp@rpc.example:8972")];
    with_environment("the_builders_address_for_others", &set, async {
        let server = local().service_address("tcp@builder.example:1".parse().unwrap());
        let _running = Running::at(TCP, server).await;
        assert_eq!(entries(), ["tcp@builder.example:1?weight=5"]);
    });
}

#[test]
fn a_wrong_address_for_others() {
    let set = [("RPCX_SERVICE_ADDRESS", "rpc.example")];
    with_environment("a_wrong_address_for_others", &set, async {
        let error = local().bind(&memory_address()).await.unwrap_err().to_string();
        assert!(error.starts_with("RPCX_SERVICE_ADDRESS: "), "{error}");
        assert!(error.contains("rpc.example") && error.contains("host:port"), "{error}");
        let server = local().service_address("tcp@builder.example:1".parse().unwrap());
        assert!(server.bind(&memory_address()).await.is_ok());
    });
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let set = [("RPCX_REGISTRY", "consul"), ("RPCX_SERVICE_ADDRESS", "rpc.example")];
    with_environment("all_that_is_wrong_is_said_at_once", &set, async {
        let (_, problems) = errors().await;
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].starts_with("RPCX_REGISTRY"), "{problems:?}");
        assert!(problems[1].starts_with("RPCX_SERVICE_ADDRESS"), "{problems:?}");
    });
}

#[test]
fn builder_environment_attribute() {
    let set = [("RPCX_REGISTRY", "peer2peer://memory@environment")];
    with_environment("builder_environment_attribute", &set, async {
        let _attribute = serve("memory@attribute", "attribute").await;
        let _environment = serve("memory@environment", "environment").await;
        let _builder = serve("memory@builder", "builder").await;
        let client = FixedClient::connect().await.unwrap();
        assert_eq!(client.who().await.unwrap(), "environment");
        let registry = PeerToPeer::new("memory@builder").unwrap();
        let client = FixedClient::builder().registry(registry).connect().await.unwrap();
        assert_eq!(client.who().await.unwrap(), "builder");
        let registry = MultipleServers::new(["memory@attribute"]).unwrap();
        let client = FixedClient::builder().registry(registry).connect().await.unwrap();
        assert_eq!(client.who().await.unwrap(), "attribute");
        let client = FixedClient::builder().without_registry().connect().await;
        assert!(client.is_err());
        // Servers are written where the environment says: nowhere, with a fixed server.
        let running = Running::in_memory(local()).await;
        assert!(entries().is_empty());
        drop(running);
        let running = Running::in_memory(local().registry(InProcess::new())).await;
        assert_eq!(entries(), [format!("{}?weight=5", running.address())]);
    });
}

#[test]
fn without_the_environment_the_attribute_counts() {
    with_environment("without_the_environment_the_attribute_counts", &[], async {
        let _attribute = serve("memory@attribute", "attribute").await;
        let client = FixedClient::connect().await.unwrap();
        assert_eq!(client.who().await.unwrap(), "attribute");
        assert!(PlainClient::connect().await.is_err());
    });
}
