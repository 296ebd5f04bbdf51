//! A server that fell silent is noticed. Go's `Heartbeat`, `HeartbeatInterval` and `MaxWaitForHeartbeat`.

use std::time::Duration;

use rpcx::{Error, FailMode};
use rpcx_examples::arith::ArithClient;
use tokio::net::TcpListener;

use crate::servers::{ARGS, Outcome, ensure, start};

pub(crate) async fn run() -> Outcome {
    // This server is there, as far as the network can tell, but does nothing: a program that hangs, or a
    // machine that lost its power.
    let silent = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("tcp@{}", silent.local_addr()?);

    // In earnest it would be 10 s and 5 s, say.
    let (interval, wait) = (Duration::from_millis(50), Duration::from_millis(50));
    let builder = ArithClient::builder().heartbeat(interval, wait).fail_mode(FailMode::Failfast);
    let arith = builder.connect_to(&address).await?;
    let accepted = silent.accept().await?;

    // Without heartbeats, and without a timeout, this call would wait for ever.
    match arith.mul(ARGS).await {
        Err(Error::ConnectionLost { executed, .. }) => {
            println!("the silent server is given up; {executed}");
        }
        other => return Err(format!("nobody can have answered, but {other:?}").into()),
    }
    drop(accepted);

    // A server that is alive answers heartbeats without its services knowing of it.
    start("memory@alive").await?;
    let builder = ArithClient::builder().heartbeat(interval, Duration::from_secs(5));
    let arith = builder.connect_to("memory@alive").await?;
    // Nobody calls for a while, in which heartbeats go to and fro.
    tokio::time::sleep(interval * 4).await;
    let reply = arith.mul(ARGS).await?;
    println!("the server that answers heartbeats is called: {}", reply.c);
    ensure(reply.c == 200, "the connection is still good")
}
