//! How many calls a second a server takes. Go's `ReqRateLimitingPlugin`, and more.

use std::time::Duration;

use rpcx::registry::MultipleServers;
use rpcx::server::interceptor::{Rate, RateLimit};
use rpcx::{Error, FailMode, SelectMode, Server};
use rpcx_examples::arith::{ArithClient, ArithServer, Calculator};

use crate::servers::{ARGS, Outcome, count, ensure, start, start_server, who_answers};

pub(crate) async fn run() -> Outcome {
    // Two calls in ten minutes, so that this example sees none come back.
    let rate = Rate::new(2, Duration::from_secs(600));
    let limit = RateLimit::new().method("Arith", "Mul", rate);
    let server = Server::new().add(ArithServer::new(Calculator)).interceptor(limit);
    start_server(server, "memory@busy").await?;
    start("memory@idle").await?;

    // A call beyond the rate did not run: that is what the answer says. So it is made again, elsewhere.
    let servers = MultipleServers::new(["memory@busy", "memory@idle"])?;
    let builder = ArithClient::builder().registry(servers).fail_mode(FailMode::Failover);
    let arith = builder.select(SelectMode::RoundRobin).connect().await?;
    let answered = count(who_answers(&arith, 10).await?);
    println!("10 calls to two servers: {answered:?}");
    ensure(answered["memory@busy"] == 2, "the busy server took two calls and no more")?;

    // Alone it can only refuse.
    let arith =
        ArithClient::builder().fail_mode(FailMode::Failfast).connect_to("memory@busy").await?;
    match arith.mul(ARGS).await {
        Err(error @ Error::NotExecuted { .. }) => {
            let text = error.to_string();
            // When to come again is in the text, and in the metadata key `retry-after-ms`.
            let (what, when) = text.split_once(", again in ").ok_or("the answer says when")?;
            println!("alone: {what}");
            ensure(when.ends_with(" ms"), "the answer says when to come again")
        }
        other => Err(format!("the rate is used up, and still {other:?}").into()),
    }
}
