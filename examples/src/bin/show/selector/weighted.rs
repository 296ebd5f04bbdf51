//! One server after the other, those of a larger weight more often. In an attribute:
//! `select = "weighted_round_robin"`.

use rpcx::SelectMode;
use rpcx::registry::MultipleServers;
use rpcx_examples::arith::ArithClient;

use crate::servers::{Outcome, ensure, start, who_answers};

pub(crate) async fn run() -> Outcome {
    for address in ["memory@a", "memory@b", "memory@c"] {
        start(address).await?;
    }

    // In a registry, a server announces its weight: `#[rpcx(weight = 5)]` on the trait, or
    // `Server::instance_metadata("weight", "5")`. Without one it weighs 1.
    let registry = MultipleServers::new(["memory@a?weight=5", "memory@b", "memory@c"])?;
    let builder = ArithClient::builder().registry(registry).select(SelectMode::WeightedRoundRobin);
    let arith = builder.connect().await?;

    // Of seven calls, five go to `a`, but not one after the other.
    for _ in 0..2 {
        let order = who_answers(&arith, 7).await?;
        let order: String =
            order.iter().map(|server| server.trim_start_matches("memory@")).collect();
        println!("weights 5, 1, 1: {order}");
        ensure(order == "aabacaa", "the turns are mixed evenly")?;
    }
    Ok(())
}
