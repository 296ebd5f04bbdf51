//! A failed call is made again at another server. In an attribute: `fail_mode = "failover"`.
//!
//! With several servers this is what you usually want.

use rpcx::registry::MultipleServers;
use rpcx::{FailMode, SelectMode};
use rpcx_examples::arith::ArithClient;

use super::Attempts;
use crate::servers::{ARGS, Outcome, ensure, start};

pub(crate) async fn run() -> Outcome {
    start("memory@good").await?;

    // Nobody listens at `memory@gone`. Its weight sees to it that it is chosen first.
    let registry = MultipleServers::new(["memory@gone?weight=5", "memory@good"])?;
    let attempts = Attempts::default();
    let arith = ArithClient::builder()
        .registry(registry)
        .select(SelectMode::WeightedRoundRobin)
        .fail_mode(FailMode::Failover)
        .interceptor(attempts.clone())
        .connect()
        .await?;

    let reply = arith.mul(ARGS).await?;
    println!("the first call: {}", reply.c);
    ensure(attempts.report().len() == 2, "the call was made again")?;

    // A server that cannot be connected to is passed over, for a second at first.
    let reply = arith.mul(ARGS).await?;
    println!("the second call: {}", reply.c);
    ensure(attempts.report().len() == 1, "the second call knows better")
}
