//! One server after the other. In an attribute: `select = "round_robin"`.

use rpcx::SelectMode;
use rpcx::registry::MultipleServers;
use rpcx_examples::arith::ArithClient;

use crate::servers::{Outcome, count, ensure, start, who_answers};

pub(crate) async fn run() -> Outcome {
    let addresses = ["memory@a", "memory@b", "memory@c"];
    for address in addresses {
        start(address).await?;
    }

    let registry = MultipleServers::new(addresses)?;
    let builder = ArithClient::builder().registry(registry).select(SelectMode::RoundRobin);
    let arith = builder.connect().await?;

    // Clients start at a server of their own choice, or all would start at the same one.
    let order = who_answers(&arith, 9).await?;
    println!("in turn: {}", order.join(", "));
    ensure(order[..3] == order[3..6] && order[..3] == order[6..], "the order repeats")?;

    // Clones of a client share its turn.
    let counts =
        count([who_answers(&arith.clone(), 2).await?, who_answers(&arith, 1).await?].concat());
    for (server, calls) in &counts {
        println!("{server} answered {calls} of 3 calls of two clones");
    }
    ensure(counts.len() == 3, "three calls go to three servers")
}
