//! The faster a server answers, the more calls it gets. In an attribute: `select = "weighted_ping"`.
//!
//! What counts is how long a heartbeat takes over the connection that calls use; Go's `WeightedICMP`,
//! which sends pings, has the same weights.

use std::time::Duration;

use rpcx::registry::MultipleServers;
use rpcx::transport::{ConnectFuture, Connector, Duplex, NetworkConnector};
use rpcx::{Address, SelectMode};
use rpcx_examples::arith::ArithClient;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::servers::{Outcome, count, ensure, start, who_answers};

pub(crate) async fn run() -> Outcome {
    for address in ["memory@far", "memory@near"] {
        start(address).await?;
    }
    let registry = MultipleServers::new(["memory@far", "memory@near"])?;
    let builder = ArithClient::builder().registry(registry).select(SelectMode::WeightedPing);
    let arith = builder.connector(LongWay(NetworkConnector::new())).connect().await?;

    // Until the first heartbeat is answered, a server counts as fast. They are sent at once.
    let mut rounds = 0;
    let counts = loop {
        let counts = count(who_answers(&arith, 20).await?);
        rounds += 1;
        if counts.get("memory@near") >= Some(&19) || rounds == 10 {
            break counts;
        }
    };
    let near = counts.get("memory@near").copied().unwrap_or_default();
    ensure(near >= 19, "a server that needs 300 ms gets 1 call for 191 of one that needs none")?;
    println!("memory@near answers nearly all calls");
    Ok(())
}

/// Makes the way to `memory@far` 150 ms long.
#[derive(Debug)]
struct LongWay(NetworkConnector);

impl Connector for LongWay {
    fn connect(&self, address: &Address) -> ConnectFuture {
        let (connecting, is_far) = (self.0.connect(address), address.target() == "far");
        Box::pin(async move {
            let far = connecting.await?;
            if !is_far {
                return Ok(far);
            }
            let (near, middle) = tokio::io::duplex(64 << 10);
            let (from_client, to_client) = tokio::io::split(middle);
            tokio::spawn(carry(from_client, far.writer));
            tokio::spawn(carry(far.reader, to_client));
            Ok(Duplex::of(near))
        })
    }
}

/// Carries what comes from one side to the other, 150 ms later.
async fn carry(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(len @ 1..) = from.read(&mut buffer).await {
        tokio::time::sleep(Duration::from_millis(150)).await;
        if to.write_all(&buffer[..len]).await.is_err() {
            break;
        }
    }
}
