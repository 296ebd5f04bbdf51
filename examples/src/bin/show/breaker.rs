//! A server that keeps failing gets no calls for a while. Go's `GenBreaker` with a
//! `ConsecCircuitBreaker`.

use std::time::Duration;

use rpcx::client::Breaker;
use rpcx::{Error, FailMode, Refusal};
use rpcx_examples::arith::ArithClient;

use crate::servers::{ARGS, Outcome, ensure, start};

pub(crate) async fn run() -> Outcome {
    // After 3 failures in a row the server gets no calls for half a second. Each server has a breaker of
    // its own. The default of `Breaker` is 5 failures and 30 s, as in Go's example.
    let open_for = Duration::from_millis(500);
    let arith = ArithClient::builder()
        .breaker(Breaker::consecutive(3, open_for))
        .fail_mode(FailMode::Failfast)
        .connect_lazily("memory@patient")?;

    for call in 1..=3 {
        let Err(error) = arith.mul(ARGS).await else { return Err("nobody listens there".into()) };
        println!("call {call}: {error}");
    }

    // It costs the server nothing, and the caller no time.
    match arith.mul(ARGS).await {
        Err(error @ Error::NotExecuted { reason: Refusal::BreakerOpen(_) }) => {
            println!("call 4: {error}");
        }
        other => return Err(format!("the breaker should be open, but {other:?}").into()),
    }

    // The server starts. Nothing but time opens its way again: when that is over, one call goes there to
    // see, and closes the circuit.
    start("memory@patient").await?;
    tokio::time::sleep(open_for).await;
    let reply = arith.mul(ARGS).await?;
    println!("call 5: {}", reply.c);
    ensure(reply.c == 200, "the server is called again")
}
