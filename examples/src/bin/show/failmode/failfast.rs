//! A failed call fails. In an attribute: `fail_mode = "failfast"`.

use rpcx::registry::MultipleServers;
use rpcx::{Executed, FailMode, SelectMode};
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
        .fail_mode(FailMode::Failfast)
        .interceptor(attempts.clone())
        .connect()
        .await?;

    let Err(error) = arith.mul(ARGS).await else { return Err("nobody can have answered".into()) };
    println!("the first call: {error}");
    ensure(attempts.report().len() == 1, "there is one attempt")?;
    // `executed` tells whether the server may have run the call: this one is safe to repeat.
    ensure(error.executed() == Executed::No, "the call did not run")?;

    // That the server cannot be reached is known now: the next call goes elsewhere from the start.
    let reply = arith.mul(ARGS).await?;
    println!("the second call: {}", reply.c);
    ensure(attempts.report() == ["memory@good: answered"], "there is another server")
}
