//! Clients of several services over the same connections. Go's `OneClient`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rpcx::client::interceptor::Interceptor;
use rpcx::client::{Channel, OneClient};
use rpcx::registry::MultipleServers;
use rpcx::{Address, Client as _, SelectMode, Server};
use rpcx_examples::arith::{ArithClient, ArithServer, Calculator};

use crate::servers::{ARGS, Outcome, ensure, start_server};

#[rpcx::service]
trait Greeter {
    async fn greet(&self, name: &str) -> rpcx::Result<String>;
}

struct Polite;

impl Greeter for Polite {
    async fn greet(&self, name: &str) -> rpcx::Result<String> {
        Ok(format!("good day, {name}"))
    }
}

/// Counts connections.
#[derive(Clone, Default)]
struct Connections(Arc<AtomicUsize>);

impl Interceptor for Connections {
    fn connected(&self, _: &Address) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

pub(crate) async fn run() -> Outcome {
    let addresses = ["memory@a", "memory@b"];
    for address in addresses {
        // Both services are at both servers. With a registry, each service has a list of its own.
        let server = Server::new().add(ArithServer::new(Calculator));
        start_server(server.add(GreeterServer::new(Polite)), address).await?;
    }

    // What the builder is told holds for the clients of all services.
    let connections = Connections::default();
    let builder = Channel::builder().registry(MultipleServers::new(addresses)?);
    let builder = builder.select(SelectMode::RoundRobin).interceptor(connections.clone());
    let one = OneClient::new(builder);
    let arith: ArithClient = one.client().await?;
    let greeter: GreeterClient = one.client().await?;

    for _ in 0..4 {
        ensure(arith.mul(ARGS).await?.c == 200, "10 * 20 is 200")?;
        ensure(greeter.greet("Ada").await? == "good day, Ada", "the greeter greets")?;
    }
    let connections = connections.0.load(Ordering::Relaxed);
    println!("2 services at 2 servers, 8 calls: {connections} connections");
    ensure(connections == 2, "both clients use the same connections")
}
