//! A failed call is made again at the same server, after a pause. It is the default, as in Go's examples; in
//! an attribute: `fail_mode = "failtry"`.

use std::time::Duration;

use rpcx::FailMode;
use rpcx_examples::arith::ArithClient;

use super::Attempts;
use crate::servers::{ARGS, Outcome, ensure, start};

pub(crate) async fn run() -> Outcome {
    let attempts = Attempts::default();
    let builder = ArithClient::builder().fail_mode(FailMode::Failtry).interceptor(attempts.clone());
    // There is one server, and it does not run yet.
    let arith = builder.connect_lazily("memory@late")?;

    // By default a call is made 3 times more, and pauses grow from at most 20 ms to at most a second.
    let Err(error) = arith.mul(ARGS).await else { return Err("nobody can have answered".into()) };
    println!("no server: {error}");
    ensure(attempts.report().len() == 4, "there are four attempts")?;

    // This call tries for longer; it is started, so that the server can start meanwhile.
    let call = arith.mul(ARGS).retries(50).retry_interval(Duration::from_millis(20)).start();
    attempts.wait_for_one().await;
    start("memory@late").await?;
    println!("a server that starts meanwhile answers: {}", call.await?.c);
    Ok(())
}
