//! One call to all servers, and each has to succeed. Go's `Broadcast`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rpcx::client::FanOutError;
use rpcx::registry::MultipleServers;
use rpcx::{Instance, Server};
use rpcx_examples::arith::{Args, Arith, ArithClient, ArithServer, Reply};

use crate::servers::{ARGS, Outcome, ensure, start_server, until_there_are};

/// Multiplies, and counts how often.
#[derive(Clone, Default)]
struct Counting(Arc<AtomicUsize>);

impl Arith for Counting {
    async fn mul(&self, args: Args) -> rpcx::Result<Reply> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(Reply { c: args.a * args.b })
    }
}

pub(crate) async fn run() -> Outcome {
    // All three count in one place.
    let calls = Counting::default();
    let addresses = ["memory@a", "memory@b", "memory@c"];
    for address in addresses {
        start_server(Server::new().add(ArithServer::new(calls.clone())), address).await?;
    }
    let registry = MultipleServers::new(addresses)?;
    let arith = ArithClient::builder().registry(registry.clone()).connect().await?;

    // The reply is that of the server that answered first.
    let reply = arith.mul(ARGS).broadcast().await?;
    let called = calls.0.load(Ordering::Relaxed);
    println!("{called} servers were called, all succeeded: {}", reply.c);
    ensure(called == 3, "every server was called once")?;

    // A server that cannot be reached has not succeeded; Go 1.9.4 would leave it out silently.
    let instance = |address: &str| address.parse().map(Instance::new);
    registry.update([instance("memory@a")?, instance("memory@gone")?]);
    until_there_are(2, &arith).await;
    match arith.mul(ARGS).broadcast().await {
        Err(FanOutError::Failed(failures)) => {
            for failure in &failures {
                println!("failed at {}: {}", failure.address, failure.error);
            }
            ensure(failures.len() == 1, "the first failure ends it")
        }
        other => Err(format!("a server is missing, and still: {other:?}").into()),
    }
}
