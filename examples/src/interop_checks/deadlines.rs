//! Time limits, kept by the client and told to the server.

use std::time::{Duration, Instant};

use rpcx::protocol::{Kind, Message, SerializeType};
use rpcx::{Error, Executed};

use super::raw::{check_reply, error_text};
use super::tap::Tap;
use super::target::msgpack;
use super::{Check, Failure, Target, check, ensure, same};
use crate::interop::{Args, InteropClient, SleepArgs};

pub(super) const CHECKS: &[Check] = &[
    check!("deadlines/client", client()),
    check!("deadlines/client_tells_the_server", client_tells_the_server()),
    check!("deadlines/late_reply_is_ignored", late_reply_is_ignored()),
    check!("deadlines/server", server()),
    check!("deadlines/far_away", far_away()),
    check!("deadlines/unreadable_is_ignored", unreadable_is_ignored()),
];

/// The metadata key of the time that is left, in milliseconds.
const SERVER_TIMEOUT: &str = "__ServerTimeout";
/// Much longer than a call takes, much shorter than the sleeps that are cut short here.
const SOON: Duration = Duration::from_secs(5);

/// The call fails with `Timeout` and the connection serves on.
async fn client(target: Target) -> Result<(), Failure> {
    let client = target.client().await?;
    let allowed = Duration::from_millis(150);
    let since = Instant::now();
    let result = client.sleep(SleepArgs { ms: 20_000 }).timeout(allowed).await;
    let took = since.elapsed();
    match result {
        Err(Error::Timeout { after, executed: Executed::Maybe }) if after == allowed => {}
        other => return Err(format!("{other:?}").into()),
    }
    ensure(took < SOON, || format!("it took {took:?}"))?;
    same("product afterwards", client.mul(Args { a: 3, b: 4 }).await?.c, 12)
}

/// The request says how many milliseconds are left, never more than were given.
async fn client_tells_the_server(target: Target) -> Result<(), Failure> {
    let tap = Tap::default();
    let builder = target.builder().connector(tap.clone());
    let client: InteropClient = builder.connect_to(&target.address()).await?;
    client.mul(Args { a: 1, b: 1 }).timeout(Duration::from_secs(30)).await?;
    client.mul(Args { a: 1, b: 1 }).await?;
    let requests = tap.traffic().requests;
    let told = |n: usize| requests.get(n).map(Message::metadata);
    let first = told(0).and_then(|metadata| metadata.get(SERVER_TIMEOUT)?.parse().ok());
    ensure(first.is_some_and(|ms| (1..=30_000).contains(&ms)), || format!("it told {first:?}"))?;
    let second = told(1).ok_or("no second request")?;
    same("without a timeout", second.get(SERVER_TIMEOUT), None)
}

/// A reply to a call that was given up is nobody's.
async fn late_reply_is_ignored(target: Target) -> Result<(), Failure> {
    let tap = Tap::default();
    let builder = target.builder().connector(tap.clone());
    let client: InteropClient = builder.connect_to(&target.address()).await?;
    let sleep = client.sleep(SleepArgs { ms: 300 }).into_future();
    let given_up = tokio::time::timeout(Duration::from_millis(50), sleep).await;
    ensure(given_up.is_err(), || "the reply came too early".to_owned())?;
    // The late reply is among those that pass; its number is the first request's.
    let late = |message: &Message| message.service_method() == b"Sleep";
    let waiting = tap.until(|traffic| traffic.responses.iter().any(late));
    let calling = async {
        for n in 0..50 {
            same("product meanwhile", client.mul(Args { a: n, b: 4 }).await?.c, n * 4)?;
        }
        Ok::<_, Failure>(())
    };
    let (traffic, called) = tokio::join!(waiting, calling);
    called?;
    same("product afterwards", client.mul(Args { a: 5, b: 4 }).await?.c, 20)?;
    same("connections", traffic.connections, 1)
}

/// The service is told to stop, and the answer says why.
async fn server(target: Target) -> Result<(), Failure> {
    let mut connection = target.raw().await?;
    let payload = msgpack(&SleepArgs { ms: 20_000 })?;
    let request = target
        .request(21, SerializeType::MSGPACK, "Arith", "Sleep", payload)
        .with_metadata(SERVER_TIMEOUT, "150");
    let since = Instant::now();
    let response = connection.exchange(&request).await?;
    let took = since.elapsed();
    same("direction", response.header().kind(), Kind::Response)?;
    let text = error_text(&response)?;
    ensure(text.contains("deadline exceeded"), || format!("the text is {text:?}"))?;
    ensure(took >= Duration::from_millis(140), || format!("it came after {took:?} already"))?;
    ensure(took < SOON, || format!("it took {took:?}"))
}

async fn far_away(target: Target) -> Result<(), Failure> {
    let client = target.client().await?;
    for timeout in [SOON, Duration::from_secs(86_400 * 365)] {
        let reply = client.sleep(SleepArgs { ms: 20 }).timeout(timeout).await?;
        same("reply", reply.c, 20)?;
    }
    Ok(())
}

async fn unreadable_is_ignored(target: Target) -> Result<(), Failure> {
    let mut connection = target.raw().await?;
    for value in ["", "abc", "1.5", "99999999999999999999"] {
        let payload = msgpack(&SleepArgs { ms: 20 })?;
        let request = target
            .request(22, SerializeType::MSGPACK, "Arith", "Sleep", payload)
            .with_metadata(SERVER_TIMEOUT, value);
        let response = connection.exchange(&request).await?;
        check_reply(&response, 20).map_err(|error| format!("{value:?}: {error}"))?;
    }
    Ok(())
}
