//! What the examples share: servers in this process, and who of them answered.

use std::collections::BTreeMap;
use std::error::Error;

use rpcx::{Client, Server};
use rpcx_examples::arith::{Args, ArithClient, ArithServer, Calculator};
use tokio::task::JoinHandle;

/// How an example ends.
pub(crate) type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// What all examples multiply: 200 is the answer.
pub(crate) const ARGS: Args = Args { a: 10, b: 20 };

/// A server in a task of its own. It serves until it is stopped or the program ends.
pub(crate) struct Running(JoinHandle<()>);

impl Running {
    /// Stops the server as a crash would: its connections are closed, whatever runs on them.
    pub(crate) async fn crash(self) {
        self.0.abort();
        // The error says that the task was stopped, which is no news.
        let _ = self.0.await;
    }
}

/// Starts a server with a calculator.
pub(crate) async fn start(address: &str) -> Outcome<Running> {
    start_server(Server::new().add(ArithServer::new(Calculator)), address).await
}

/// Starts a server.
pub(crate) async fn start_server(server: Server, address: &str) -> Outcome<Running> {
    Ok(Running(tokio::spawn(server.bind(address).await?.serve())))
}

/// Makes so many calls, one after the other; gives the servers that answered.
pub(crate) async fn who_answers(arith: &ArithClient, calls: usize) -> Outcome<Vec<String>> {
    let mut servers = Vec::new();
    for _ in 0..calls {
        // `detailed` tells, beside the reply, which server it came from.
        let detailed = arith.mul(ARGS).detailed().await;
        ensure(detailed.result?.c == 200, "10 * 20 is 200")?;
        servers.push(detailed.address.ok_or("a reply comes from a server")?.to_string());
    }
    Ok(servers)
}

/// Counts how often each server is in the list.
pub(crate) fn count(servers: Vec<String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for server in servers {
        *counts.entry(server).or_default() += 1;
    }
    counts
}

/// Waits until the client knows of so many servers: it takes news of its registry over in a task.
pub(crate) async fn until_there_are(servers: usize, client: &impl Client) {
    while client.channel().servers().len() != servers {
        tokio::task::yield_now().await;
    }
}

/// Fails unless what the example is about happened.
pub(crate) fn ensure(happened: bool, what: &str) -> Outcome {
    if happened { Ok(()) } else { Err(format!("this should be so, and is not: {what}").into()) }
}
