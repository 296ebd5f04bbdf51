//! Connections that come and go.

use rpcx::{Error, Executed};
use tokio::task::JoinSet;

use super::tap::Tap;
use super::{Check, Failure, Target, check, ensure, same};
use crate::interop::{Args, InteropClient, SleepArgs};

pub(super) const CHECKS: &[Check] = &[
    check!("connections/100_one_after_another", one_after_another()),
    check!("connections/100_at_once", at_once()),
    check!("connections/first_call_connects", first_call_connects()),
    check!("connections/lost_one_is_opened_again", lost_one_is_opened_again()),
];

async fn call_once(target: Target, n: i64) -> Result<(), Failure> {
    let client = target.client().await?;
    same("product", client.mul(Args { a: n, b: 3 }).await?.c, n * 3)
}

async fn one_after_another(target: Target) -> Result<(), Failure> {
    for n in 0..100 {
        call_once(target.clone(), n).await?;
    }
    Ok(())
}

async fn at_once(target: Target) -> Result<(), Failure> {
    let mut calls: JoinSet<_> = (0..100).map(|n| call_once(target.clone(), n)).collect();
    while let Some(ended) = calls.join_next().await {
        ended??;
    }
    Ok(())
}

async fn first_call_connects(target: Target) -> Result<(), Failure> {
    let tap = Tap::default();
    let builder = target.builder().connector(tap.clone());
    let client: InteropClient = builder.connect_lazily(&target.address())?;
    same("connections before it", tap.traffic().connections, 0)?;
    same("product", client.mul(Args { a: 7, b: 3 }).await?.c, 21)?;
    same("connections after it", tap.traffic().connections, 1)
}

/// A call on its way fails when the wire is cut; those after it find a new one.
async fn lost_one_is_opened_again(target: Target) -> Result<(), Failure> {
    let tap = Tap::default();
    let builder = target.builder().connector(tap.clone());
    let client: InteropClient = builder.connect_to(&target.address()).await?;
    for round in 1..4 {
        let sent = tap.traffic().requests.len();
        let slow = client.sleep(SleepArgs { ms: 2000 }).start();
        tap.until(|traffic| traffic.requests.len() > sent).await;
        tap.cut();
        let lost = slow.await;
        ensure(
            matches!(lost, Err(Error::ConnectionLost { executed: Executed::Maybe, .. })),
            || format!("{lost:?}"),
        )?;
        same("product", client.mul(Args { a: round, b: 5 }).await?.c, round * 5)?;
        same("connections", tap.traffic().connections, usize::try_from(round)? + 1)?;
    }
    Ok(())
}
