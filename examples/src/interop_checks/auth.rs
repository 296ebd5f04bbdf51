//! Tokens; these checks run only if there is one.

use rpcx::Error;
use rpcx::protocol::SerializeType;

use super::heartbeat::heartbeat;
use super::raw::{RawRequest, error_text};
use super::target::{AUTH, msgpack};
use super::{Check, Failure, Target, check, ensure, same};
use crate::interop::{Args, InteropClient};

pub(super) const CHECKS: &[Check] = &[
    check!("auth/right", right()),
    check!("auth/wrong", wrong(Some("wrong"))),
    check!("auth/missing", wrong(None)),
    check!("auth/wrong_then_closed", wrong_then_closed(Some("wrong"))),
    check!("auth/missing_then_closed", wrong_then_closed(None)),
    check!("auth/wrong_oneway_is_silent", wrong_oneway_is_silent()),
    check!("auth/not_for_heartbeats", not_for_heartbeats()),
];

const REFUSED: &str = "invalid token";

async fn right(target: Target) -> Result<(), Failure> {
    let client = target.client().await?;
    same("product", client.mul(Args { a: 2, b: 3 }).await?.c, 6)
}

/// Every call is refused, with the hook's text.
async fn wrong(target: Target, token: Option<&'static str>) -> Result<(), Failure> {
    let builder = target.stranger();
    let builder = match token {
        Some(token) => builder.auth(token),
        None => builder,
    };
    let client: InteropClient = builder.connect_to(&target.address()).await?;
    for _ in 0..3 {
        match client.mul(Args { a: 2, b: 3 }).await {
            Err(Error::Service(text)) => same("text", text.as_str(), REFUSED)?,
            other => return Err(format!("{other:?}").into()),
        }
    }
    Ok(())
}

async fn wrong_then_closed(target: Target, token: Option<&str>) -> Result<(), Failure> {
    let mut connection = target.raw().await?;
    connection.send(&unauthorized(token)?).await?;
    let response = connection.receive().await?;
    same("text", error_text(&response)?.as_str(), REFUSED)?;
    let next = connection.receive_or_end().await?;
    ensure(next.is_none(), || format!("not closed, but {next:?}"))
}

async fn wrong_oneway_is_silent(target: Target) -> Result<(), Failure> {
    let mut connection = target.raw().await?;
    let mut request = unauthorized(Some("wrong"))?;
    request.header = request.header.with_oneway();
    connection.send(&request).await?;
    let next = connection.receive_or_end().await?;
    ensure(next.is_none(), || format!("not closed, but {next:?}"))
}

async fn not_for_heartbeats(target: Target) -> Result<(), Failure> {
    let mut connection = target.raw().await?;
    let request = heartbeat(9, "", "", vec![1]);
    request.check_copied(&connection.exchange(&request).await?)
}

fn unauthorized(token: Option<&str>) -> Result<RawRequest, Failure> {
    let payload = msgpack(&Args { a: 1, b: 1 })?;
    let request = RawRequest::new(3, SerializeType::MSGPACK, "Arith", "Mul", payload);
    Ok(token.into_iter().fold(request, |request, token| request.with_metadata(AUTH, token)))
}
