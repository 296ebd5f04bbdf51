//! One-way calls run and are never answered.

use std::time::Duration;

use rpcx::protocol::SerializeType;

use super::raw::check_reply;
use super::target::msgpack;
use super::{Check, Failure, Target, check, ensure, same};
use crate::interop::{Args, SleepArgs, TextArgs};

pub(super) const CHECKS: &[Check] = &[
    check!("oneway/runs", runs()),
    check!("oneway/no_answer", silent("Arith", "Mul", msgpack(&Args { a: 2, b: 2 }))),
    check!("oneway/no_answer_to_an_error", silent("Arith", "Error", msgpack(&text()))),
    check!("oneway/no_answer_to_a_panic", silent("Arith", "Panic", msgpack(&text()))),
    check!("oneway/no_answer_from_an_unknown_service", silent("Nope", "Mul", Ok(vec![0x80]))),
    check!("oneway/no_answer_from_an_unknown_method", silent("Arith", "Nope", Ok(vec![0x80]))),
    check!("oneway/no_answer_to_a_bad_payload", silent("Arith", "Mul", Ok(vec![0xc1]))),
];

fn text() -> TextArgs {
    TextArgs { msg: "x".to_owned() }
}

/// Every call adds to the counter, once.
async fn runs(target: Target) -> Result<(), Failure> {
    let client = target.client().await?;
    let zero = Args { a: 0, b: 0 };
    let before = client.count(&zero).await?.c;
    for _ in 0..20 {
        client.incr(Args { a: 2, b: 0 }).oneway().await?;
    }
    loop {
        match client.count(&zero).await?.c - before {
            40 => return Ok(()),
            counted => ensure(counted < 40, || format!("counted {counted} of 40"))?,
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Of a one-way call and an ordinary one after it, only the second is answered.
async fn silent(
    target: Target,
    service: &'static str,
    method: &'static str,
    payload: Result<Vec<u8>, Failure>,
) -> Result<(), Failure> {
    let mut connection = target.raw().await?;
    let mut request = target.request(70, SerializeType::MSGPACK, service, method, payload?);
    request.header = request.header.with_oneway();
    connection.send(&request).await?;
    // An answer to the first would have all this time to come.
    let payload = msgpack(&SleepArgs { ms: 200 })?;
    let second = target.request(71, SerializeType::MSGPACK, "Arith", "Sleep", payload);
    let response = connection.exchange(&second).await?;
    same("sequence number", response.header().seq(), 71)?;
    check_reply(&response, 200)
}
