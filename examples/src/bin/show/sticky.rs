//! One server as long as it is there. Go's `Option.Sticky`.

use rpcx::registry::MultipleServers;
use rpcx::{FailMode, SelectMode};
use rpcx_examples::arith::ArithClient;

use crate::servers::{Outcome, ensure, start, who_answers};

pub(crate) async fn run() -> Outcome {
    let first = start("memory@a").await?;
    start("memory@b").await?;

    // The selector, here by weight, has a say only when the client is to leave its server.
    let registry = MultipleServers::new(["memory@a?weight=2", "memory@b"])?;
    let arith = ArithClient::builder()
        .registry(registry)
        .select(SelectMode::WeightedRoundRobin)
        .sticky()
        .fail_mode(FailMode::Failover)
        .connect()
        .await?;

    let order = who_answers(&arith, 6).await?;
    println!("6 calls to {}", order[0]);
    ensure(order == ["memory@a"; 6], "all calls go to one server")?;

    first.crash().await;
    let order = who_answers(&arith, 6).await?;
    println!("after its crash, 6 calls to {}", order[0]);
    ensure(order == ["memory@b"; 6], "then they go to another one")
}
