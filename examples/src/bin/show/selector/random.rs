//! Any server, each as likely as the others. It is the default; in an attribute: `select = "random"`.

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
    let builder = ArithClient::builder().registry(registry).select(SelectMode::Random);
    let arith = builder.connect().await?;

    let counts = count(who_answers(&arith, 300).await?);
    for (server, calls) in &counts {
        println!("{server} answered {calls} of 300 calls");
    }
    // A server gets 100 calls, give or take; fewer than 50 in one run of a hundred million.
    ensure(counts.len() == 3 && counts.values().all(|calls| *calls > 50), "all got their share")
}
