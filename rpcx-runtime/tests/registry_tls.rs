//! TLS to registries, against real ones whose certificates are made for the test.
#![cfg(all(
    feature = "tls",
    feature = "macros",
    any(feature = "consul", feature = "etcd", feature = "zookeeper-tls")
))]

#[path = "support/registry/mod.rs"]
mod registry;

use std::sync::Arc;

use rpcx::registry::{Register as _, Registration, RegistrationState, Registry, Tls};
use rpcx::{Result, Server};

use registry::{
    Authority, Clients, EncryptedServer, Follower, Pair, PrivateServer, announcement, soon,
};

#[rpcx::service]
trait Greeter {
    async fn greet(&self, name: String) -> Result<String>;
}

struct Polite;

impl Greeter for Polite {
    async fn greet(&self, name: String) -> Result<String> {
        Ok(format!("Good day, {name}"))
    }
}

/// A registry with TLS.
trait Encrypted {
    /// Its name in `.ci/registries`.
    const NAME: &'static str;
    /// What a client without TLS is told at a port with TLS.
    const TOLD_WITHOUT_TLS: &'static str;

    fn registry(server: &str, tls: Option<Tls>) -> Arc<dyn Registry>;
}

macro_rules! encrypted {
    ($($feature:literal, $registry:ident, $name:literal: $told:expr;)*) => {$(
        #[cfg(feature = $feature)]
        impl Encrypted for rpcx::registry::$registry {
            const NAME: &'static str = $name;
            const TOLD_WITHOUT_TLS: &'static str = $told;

            fn registry(server: &str, tls: Option<Tls>) -> Arc<dyn Registry> {
                let registry = Self::new([server]).base_path("/rpcx_test");
                match tls {
                    Some(tls) => Arc::new(registry.tls(tls)),
                    None => Arc::new(registry),
                }
            }
        }
    )*};
}

encrypted! {
    "etcd", Etcd, "etcd": "the server may want TLS";
    "consul", Consul, "consul": "400 Bad Request: Client sent an HTTP request to an HTTPS server.";
    "zookeeper-tls", ZooKeeper, "zookeeper": "it may ask for TLS";
}

/// Makes the rules tests of each registry that is built in.
macro_rules! rules {
    ($($rule:ident),* $(,)?) => {
        rules! { "etcd", etcd, Etcd: $($rule),* }
        rules! { "consul", consul, Consul: $($rule),* }
        rules! { "zookeeper-tls", zookeeper, ZooKeeper: $($rule),* }
    };
    ($feature:literal, $name:ident, $registry:ident: $($rule:ident),*) => {
        #[cfg(feature = $feature)]
        mod $name {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $rule() {
                    let test = concat!(stringify!($name), "::", stringify!($rule));
                    super::$rule::<rpcx::registry::$registry>(test).await;
                }
            )*
        }
    };
}

rules! {
    a_server_is_found_and_called,
    a_client_with_a_certificate_is_let_in_and_one_without_is_not,
    a_registry_that_restarts_is_come_back_to,
    a_registry_that_another_authority_signed_is_not_trusted,
    a_registry_under_another_name_is_not_trusted,
    a_client_without_tls_is_told,
    a_registry_without_tls_is_not_used,
}

async fn a_server_is_found_and_called<R: Encrypted>(test: &str) {
    let authority = Authority::new("one");
    let Some(server) = EncryptedServer::start(R::NAME, &authority, Clients::Any, test) else {
        return;
    };
    let registry = || R::registry(server.address(), Some(trusting(&authority)));
    let greeting = Server::new().add(GreeterServer::new(Polite)).registry(registry());
    let bound = greeting.bind("tcp@127.0.0.1:0").await.unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(bound.serve_until(async move { drop(stopped.await) }));
    let mut follower = Follower::new(registry(), "Greeter");
    follower.until("a server", |list| !list.instances().is_empty()).await;

    let greeter = GreeterClient::builder().registry(registry()).connect().await.unwrap();
    assert_eq!(greeter.greet("Ada".to_owned()).await.unwrap(), "Good day, Ada");
    drop(stop);
    follower.until("no server", |list| list.instances().is_empty()).await;
    soon("stopped", serving).await.unwrap();
}

async fn a_client_with_a_certificate_is_let_in_and_one_without_is_not<R: Encrypted>(test: &str) {
    let authority = Authority::new("one");
    let Some(server) = EncryptedServer::start(R::NAME, &authority, Clients::WithCertificate, test)
    else {
        return;
    };
    let Pair { certificate, key } = authority.sign(&[]);
    let known = trusting(&authority).identity(certificate, key).unwrap();
    let registry = R::registry(server.address(), Some(known));
    let registration = registry.register("Arith", announcement("tcp@127.0.0.1:1"));
    soon("registered", registration.registered()).await.unwrap();

    let unknown = R::registry(server.address(), Some(trusting(&authority)));
    let problem = problem(&unknown.register("Arith", announcement("tcp@127.0.0.1:2"))).await;
    // TLS 1.3 and 1.2 have a name each; etcd's client may learn of neither.
    let refused = ["CertificateRequired", "BadCertificate", "or a certificate of the client"];
    assert!(refused.iter().any(|refused| problem.contains(refused)), "{problem}");
}

async fn a_registry_that_restarts_is_come_back_to<R: Encrypted>(test: &str) {
    let authority = Authority::new("one");
    let Some(server) = EncryptedServer::start(R::NAME, &authority, Clients::WithCertificate, test)
    else {
        return;
    };
    let Pair { certificate, key } = authority.sign(&[]);
    let known = trusting(&authority).identity(certificate, key).unwrap();
    let registry = R::registry(server.address(), Some(known));
    let one = registry.register("Arith", announcement("tcp@127.0.0.1:1"));
    soon("registered", one.registered()).await.unwrap();
    let mut follower = Follower::new(Arc::clone(&registry), "Arith");
    follower.until_servers(&["tcp@127.0.0.1:1"]).await;
    server.restart();
    let _two = registry.register("Arith", announcement("tcp@127.0.0.1:2"));
    follower.until_servers(&["tcp@127.0.0.1:1", "tcp@127.0.0.1:2"]).await;
}

async fn a_registry_that_another_authority_signed_is_not_trusted<R: Encrypted>(test: &str) {
    let Some(server) = EncryptedServer::start(R::NAME, &Authority::new("one"), Clients::Any, test)
    else {
        return;
    };
    let registry = R::registry(server.address(), Some(trusting(&Authority::new("another"))));
    let problem = problem(&registry.register("Arith", announcement("tcp@127.0.0.1:1"))).await;
    let expected = "TLS: none of the given authorities signed the server's certificate";
    assert!(problem.contains(expected), "{problem}");
}

async fn a_registry_under_another_name_is_not_trusted<R: Encrypted>(test: &str) {
    let authority = Authority::new("one");
    let Some(server) = EncryptedServer::start(R::NAME, &authority, Clients::Any, test) else {
        return;
    };
    // The certificate is for the address alone.
    let address = server.address().replace("127.0.0.1", "localhost");
    let registry = R::registry(&address, Some(trusting(&authority)));
    let problem = problem(&registry.register("Arith", announcement("tcp@127.0.0.1:1"))).await;
    assert!(
        problem.contains("TLS: invalid peer certificate: certificate not valid for name"),
        "{problem}"
    );
}

async fn a_client_without_tls_is_told<R: Encrypted>(test: &str) {
    let Some(server) = EncryptedServer::start(R::NAME, &Authority::new("one"), Clients::Any, test)
    else {
        return;
    };
    let registry = R::registry(server.address(), None);
    let problem = problem(&registry.register("Arith", announcement("tcp@127.0.0.1:1"))).await;
    assert!(problem.contains(R::TOLD_WITHOUT_TLS), "{problem}");
}

async fn a_registry_without_tls_is_not_used<R: Encrypted>(test: &str) {
    let Some(server) = PrivateServer::start_with(R::NAME, Vec::new(), test) else { return };
    let registry = R::registry(server.address(), Some(trusting(&Authority::new("one"))));
    let problem = problem(&registry.register("Arith", announcement("tcp@127.0.0.1:1"))).await;
    assert!(problem.contains("TLS"), "{problem}");
}

fn trusting(authority: &Authority) -> Tls {
    Tls::new(authority.certificate()).expect("the authority's certificate is one")
}

/// Waits until a registration has met with a problem; gives what it is.
async fn problem(registration: &Registration) -> String {
    let mut state = registration.watch();
    let met =
        |state: &RegistrationState| !matches!(state, RegistrationState::Pending { error: None });
    let state = soon("a problem", state.wait_for(met)).await.expect("the entry is tended").clone();
    match state {
        RegistrationState::Pending { error: Some(error) } => error.to_string(),
        other => panic!("{other:?}"),
    }
}
