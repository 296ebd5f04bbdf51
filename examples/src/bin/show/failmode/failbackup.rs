//! A call that is slow is made at a second server, too; the first answer counts. In an attribute:
//! `fail_mode = "failbackup"`.
//!
//! It may run a method twice, so it is only for methods that are declared idempotent.

use std::time::Duration;

use rpcx::registry::MultipleServers;
use rpcx::{FailMode, SelectMode, Server};
use rpcx_examples::arith::{Args, Arith, ArithClient, ArithServer, Reply};

use crate::servers::{Outcome, ensure, start, start_server, who_answers};

/// Takes a minute for a product.
struct Slow;

impl Arith for Slow {
    async fn mul(&self, args: Args) -> rpcx::Result<Reply> {
        tokio::time::sleep(Duration::from_secs(60)).await;
        Ok(Reply { c: args.a * args.b })
    }
}

pub(crate) async fn run() -> Outcome {
    start_server(Server::new().add(ArithServer::new(Slow)), "memory@slow").await?;
    start("memory@quick").await?;

    // The weight sees to it that the slow server is chosen first.
    let registry = MultipleServers::new(["memory@slow?weight=5", "memory@quick"])?;
    let arith = ArithClient::builder()
        .registry(registry)
        .select(SelectMode::WeightedRoundRobin)
        .fail_mode(FailMode::Failbackup)
        // How long the first server has; 10 ms is the default.
        .backup_latency(Duration::from_millis(10))
        .connect()
        .await?;

    let order = who_answers(&arith, 2).await?;
    println!("memory@slow takes a minute, {} answers at once", order[0]);
    ensure(order == ["memory@quick"; 2], "the second server answers")
}
