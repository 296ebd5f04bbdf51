//! Many calls at once, none of them compressed: Go rpcx 1.9.4 mixes gzip streams up then.

use std::time::{Duration, Instant};

use rpcx::Bytes;
use tokio::task::JoinSet;

use super::{Check, Failure, Target, check, ensure, noise, same};
use crate::interop::{Args, InteropClient, SleepArgs};

pub(super) const CHECKS: &[Check] = &[
    check!("concurrency/out_of_order", out_of_order()),
    check!("concurrency/1000_on_1_connection", thousand(1)),
    check!("concurrency/1000_on_10_connections", thousand(10)),
    check!("concurrency/sleeps_overlap", sleeps_overlap()),
    check!("concurrency/echoes_of_many_sizes", echoes()),
    check!("concurrency/two_mib_both_ways", large_both_ways()),
];

/// A quick call passes a slow one.
async fn out_of_order(target: Target) -> Result<(), Failure> {
    let client = target.client().await?;
    let slow = client.sleep(SleepArgs { ms: 1000 }).start();
    let mut slow = std::pin::pin!(slow);
    tokio::select! {
        biased;
        result = &mut slow => return Err(format!("the slow one came first: {result:?}").into()),
        reply = client.mul(Args { a: 1, b: 1 }) => same("product", reply?.c, 1)?,
    }
    same("reply", slow.await?.c, 1000)
}

/// Started calls own what they need: they go into a set and end in any order.
async fn thousand(target: Target, connections: usize) -> Result<(), Failure> {
    let mut clients = Vec::new();
    for _ in 0..connections {
        clients.push(target.client().await?);
    }
    let mut calls = JoinSet::new();
    for (n, client) in (0..1000).zip(clients.iter().cycle()) {
        let call = client.mul(Args { a: n, b: n + 1 }).start();
        calls.spawn(async move { (n, call.await) });
    }
    while let Some(ended) = calls.join_next().await {
        let (n, reply) = ended?;
        same("product", reply?.c, n * (n + 1))?;
    }
    Ok(())
}

/// A hundred calls that wait take hardly longer than one.
async fn sleeps_overlap(target: Target) -> Result<(), Failure> {
    let client = target.client().await?;
    let since = Instant::now();
    let calls: Vec<_> = (0..100).map(|_| client.sleep(SleepArgs { ms: 200 }).start()).collect();
    for call in calls {
        same("reply", call.await?.c, 200)?;
    }
    let took = since.elapsed();
    ensure(took < Duration::from_secs(10), || format!("they took {took:?}"))
}

async fn echo(client: InteropClient, size: usize) -> Result<(), Failure> {
    let data = Bytes::from(noise(size));
    let echoed = client.echo(&data).await?;
    ensure(echoed == data, || format!("{size} bytes went, {} others came", echoed.len()))
}

async fn echoes(target: Target) -> Result<(), Failure> {
    let client = target.client().await?;
    let mut calls: JoinSet<_> = (0..200).map(|n| echo(client.clone(), n * 97)).collect();
    while let Some(ended) = calls.join_next().await {
        ended??;
    }
    Ok(())
}

/// Large requests and large replies cross on one connection without standing in each other's way.
async fn large_both_ways(target: Target) -> Result<(), Failure> {
    let client = target.client().await?;
    let mut calls: JoinSet<_> = (0..8).map(|n| echo(client.clone(), (2 << 20) + n)).collect();
    while let Some(ended) = calls.join_next().await {
        ended??;
    }
    Ok(())
}
