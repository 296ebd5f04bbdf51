//! Signs of life.

use std::time::Duration;

use rpcx::protocol::{Header, Kind, Message, SerializeType, Status};

use super::raw::{RawRequest, check_reply};
use super::tap::Tap;
use super::{Check, Failure, Target, check, ensure, same};
use crate::interop::{Args, InteropClient};

pub(super) const CHECKS: &[Check] = &[
    check!("heartbeat/as_go_sends_it", as_go_sends_it()),
    check!("heartbeat/echoes_everything", echoes_everything()),
    check!("heartbeat/between_calls", between_calls()),
    check!("heartbeat/ticker", ticker()),
];

/// No names, and the time as a full-width integer.
async fn as_go_sends_it(target: Target) -> Result<(), Failure> {
    let mut connection = target.raw().await?;
    for number in [0, 1, -1, i64::MAX, i64::MIN] {
        let payload = [&[0xd3][..], &number.to_be_bytes()].concat();
        let request = heartbeat(17, "", "", payload.clone());
        let response = connection.exchange(&request).await?;
        request.check_copied(&response)?;
        same("status", response.header().status(), Status::Normal)?;
        ensure(response.payload() == payload, || format!("{number} came back differently"))?;
    }
    Ok(())
}

/// Names, metadata and payload come back, even if the frame is marked one-way.
async fn echoes_everything(target: Target) -> Result<(), Failure> {
    let mut connection = target.raw().await?;
    for oneway in [false, true] {
        let mut request = heartbeat(1 << 40, "any", "name", b"not MessagePack at all".to_vec());
        let mut bytes = request.header.encode();
        bytes[1] = 3;
        request.header = Header::decode(bytes)?;
        if oneway {
            request.header = request.header.with_oneway();
        }
        let request = request.with_metadata("m", "1").with_metadata("", "2");
        let response = connection.exchange(&request).await?;
        request.check_copied(&response)?;
        ensure(response.payload() == request.payload, || "another payload".to_owned())?;
        same("pairs", response.metadata().len(), 2)?;
        for (key, value) in &request.metadata {
            same("pair", response.metadata_value(key), Some(value.as_bytes()))?;
        }
    }
    Ok(())
}

async fn between_calls(target: Target) -> Result<(), Failure> {
    let mut connection = target.raw().await?;
    for seq in 0..20 {
        let request = heartbeat(seq, "", "", vec![1]);
        request.check_copied(&connection.exchange(&request).await?)?;
        let response = connection.exchange(&target.mul(seq, 3, 7)?).await?;
        check_reply(&response, 21)?;
    }
    Ok(())
}

/// Our client asks again and again, the answers come, and the connection stays.
async fn ticker(target: Target) -> Result<(), Failure> {
    let tap = Tap::default();
    let builder = target.builder().connector(tap.clone());
    let builder = builder.heartbeat(Duration::from_millis(50), Duration::from_secs(1));
    let client: InteropClient = builder.connect_to(&target.address()).await?;
    let is_answer = |message: &&Message| {
        message.header().is_heartbeat() && message.header().kind() == Kind::Response
    };
    let traffic =
        tap.until(|traffic| traffic.responses.iter().filter(is_answer).count() >= 8).await;
    let asked = traffic.requests.iter().filter(|message| message.header().is_heartbeat());
    for (request, response) in asked.zip(traffic.responses.iter().filter(is_answer)) {
        same("sequence number", response.header().seq(), request.header().seq())?;
        ensure(response.payload() == request.payload(), || "another payload".to_owned())?;
    }
    same("product", client.mul(Args { a: 8, b: 8 }).await?.c, 64)?;
    same("connections", tap.traffic().connections, 1)
}

/// A heartbeat needs no token.
pub(super) fn heartbeat(seq: u64, service: &str, method: &str, payload: Vec<u8>) -> RawRequest {
    let request = RawRequest::new(seq, SerializeType::MSGPACK, service, method, payload);
    RawRequest { header: request.header.with_heartbeat(), ..request }
}
