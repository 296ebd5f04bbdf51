//! One call to all servers, and one success is enough. Go's `Fork`.

use rpcx::client::FanOutError;
use rpcx::registry::MultipleServers;
use rpcx::{Instance, Server};
use rpcx_examples::arith::{Args, Arith, ArithClient, ArithServer, Reply};

use crate::servers::{ARGS, Outcome, ensure, start, start_server, until_there_are};

/// Has nothing but an error.
struct Broken;

impl Arith for Broken {
    async fn mul(&self, _: Args) -> rpcx::Result<Reply> {
        Err(rpcx::Error::service("out of order"))
    }
}

/// Never answers.
struct Asleep;

impl Arith for Asleep {
    async fn mul(&self, _: Args) -> rpcx::Result<Reply> {
        std::future::pending().await
    }
}

pub(crate) async fn run() -> Outcome {
    start_server(Server::new().add(ArithServer::new(Asleep)), "memory@asleep").await?;
    start_server(Server::new().add(ArithServer::new(Broken)), "memory@broken").await?;
    start("memory@well").await?;
    let registry =
        MultipleServers::new(["memory@asleep", "memory@broken", "memory@gone", "memory@well"])?;
    let arith = ArithClient::builder().registry(registry.clone()).connect().await?;

    let reply = arith.mul(ARGS).fork().await?;
    println!("one of four servers is well: {}", reply.c);
    ensure(reply.c == 200, "one success is enough")?;

    // If all fail, the error has what each of them said.
    let instance = |address: &str| address.parse().map(Instance::new);
    registry.update([instance("memory@broken")?, instance("memory@gone")?]);
    until_there_are(2, &arith).await;
    match arith.mul(ARGS).fork().await {
        Err(FanOutError::Failed(mut failures)) => {
            // They come in the order in which the servers failed.
            failures.sort_by_key(|failure| failure.address.to_string());
            for failure in &failures {
                println!("failed at {}: {}", failure.address, failure.error);
            }
            ensure(failures.len() == 2, "both are told of")
        }
        other => Err(format!("no server is well, and still: {other:?}").into()),
    }
}
