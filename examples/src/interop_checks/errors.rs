//! Errors keep their exact texts, and cost nobody the connection.

use rpcx::protocol::SerializeType;
use rpcx::{Error, client::Channel};

use super::raw::{check_reply, error_text};
use super::target::msgpack;
use super::{Check, Failure, Target, check, ensure, same};
use crate::interop::{Args, InteropClient, Reply, TextArgs};

pub(super) const CHECKS: &[Check] = &[
    check!("errors/text", text()),
    check!("errors/text_json", text_json()),
    check!("errors/unknown_service", unknown("Nope", "Mul", "rpcx: can't find service Nope")),
    check!(
        "errors/unknown_service_unicode",
        unknown("不存在", "Mul", "rpcx: can't find service 不存在")
    ),
    check!("errors/service_case", unknown("arith", "Mul", "rpcx: can't find service arith")),
    check!("errors/empty_names", unknown("", "", "rpcx: can't find service ")),
    check!("errors/unknown_method", unknown("Arith", "Nope", "rpcx: can't find method Nope")),
    check!("errors/method_case", unknown("Arith", "mul", "rpcx: can't find method mul")),
    check!("errors/empty_method", unknown("Arith", "", "rpcx: can't find method ")),
    check!("errors/unknown_through_a_client", unknown_through_a_client()),
    check!("errors/unknown_codec", unknown_codec()),
    check!("errors/bad_payload", bad_payload()),
    check!("errors/panic", panic()),
];

/// A service and a method that no server has.
#[rpcx::service]
#[rpcx(name = "Nope")]
trait Missing {
    async fn mul(&self, args: Args) -> rpcx::Result<Reply>;
}

/// A method that `Arith` does not have.
#[rpcx::service]
#[rpcx(name = "Arith")]
trait Incomplete {
    async fn nope(&self, args: Args) -> rpcx::Result<Reply>;
}

/// Fails unless a call failed with exactly that text.
fn check_text<T>(result: Result<T, Error>, wanted: &str) -> Result<(), Failure> {
    match result {
        Err(Error::Service(text)) => same("text", text.as_str(), wanted),
        Err(error) => Err(format!("another kind of error: {error:?}").into()),
        Ok(_) => Err("the call succeeded".into()),
    }
}

async fn check_texts(client: &InteropClient) -> Result<(), Failure> {
    let long = "long ".repeat(3000);
    let texts =
        ["boom", "", "错误: ünïcode 💥", "two\nlines\tand \"quotes\"\\", "nul \0 byte", &long];
    for text in texts {
        check_text(client.error(TextArgs { msg: text.to_owned() }).await, text)?;
    }
    same("product after the errors", client.mul(Args { a: 4, b: 5 }).await?.c, 20)
}

async fn text(target: Target) -> Result<(), Failure> {
    check_texts(&target.client().await?).await
}

async fn text_json(target: Target) -> Result<(), Failure> {
    let builder = target.builder().codec(SerializeType::JSON);
    check_texts(&builder.connect_to(&target.address()).await?).await
}

async fn unknown(
    target: Target,
    service: &'static str,
    method: &'static str,
    wanted: &'static str,
) -> Result<(), Failure> {
    let mut connection = target.raw().await?;
    let payload = msgpack(&Args { a: 1, b: 1 })?;
    let request = target.request(12, SerializeType::MSGPACK, service, method, payload);
    let response = connection.exchange(&request).await?;
    same("text", error_text(&response)?.as_str(), wanted)?;
    request.check_copied(&response)?;
    let response = connection.exchange(&target.mul(13, 2, 5)?).await?;
    check_reply(&response, 10)
}

async fn unknown_through_a_client(target: Target) -> Result<(), Failure> {
    let channel: Channel = target.builder().connect_to(&target.address()).await?;
    let args = Args { a: 1, b: 1 };
    let missing = MissingClient::new(channel.clone());
    check_text(missing.mul(&args).await, "rpcx: can't find service Nope")?;
    let incomplete = IncompleteClient::new(channel);
    check_text(incomplete.nope(&args).await, "rpcx: can't find method Nope")
}

async fn unknown_codec(target: Target) -> Result<(), Failure> {
    let mut connection = target.raw().await?;
    let request = target.request(34, SerializeType::from_id(9), "Arith", "Mul", "x");
    let response = connection.exchange(&request).await?;
    same("text", error_text(&response)?.as_str(), "can not find codec for 9")?;
    request.check_copied(&response)?;
    let response = connection.exchange(&target.mul(35, 3, 5)?).await?;
    check_reply(&response, 15)
}

/// Each codec has its own words for it.
async fn bad_payload(target: Target) -> Result<(), Failure> {
    let mut connection = target.raw().await?;
    let msgpack: [&[u8]; 5] = [b"\xc1", b"\x92\x01", b"junk", b"\x82\xa1A", b""];
    let json: [&[u8]; 3] = [b"{", b"\"text\"", b"{\"A\":\"x\"}"];
    let msgpack = msgpack.map(|payload| (SerializeType::MSGPACK, payload));
    let json = json.map(|payload| (SerializeType::JSON, payload));
    let protobuf = (SerializeType::PROTOBUF, &b"\x08"[..]);
    for (serialize_type, payload) in msgpack.into_iter().chain(json).chain([protobuf]) {
        let service = if serialize_type == SerializeType::PROTOBUF { "PBArith" } else { "Arith" };
        let request = target.request(33, serialize_type, service, "Mul", payload);
        let response = connection.exchange(&request).await?;
        let text = error_text(&response).map_err(|error| format!("{payload:02x?}: {error}"))?;
        ensure(is_from_further_on(&text), || format!("{payload:02x?}: the text is {text:?}"))?;
        request.check_copied(&response)?;
    }
    let response = connection.exchange(&target.mul(36, 3, 6)?).await?;
    check_reply(&response, 18)
}

/// Go tells the client what the panic said; ours does not.
async fn panic(target: Target) -> Result<(), Failure> {
    let client = target.client().await?;
    match client.panic(TextArgs { msg: "on purpose".to_owned() }).await {
        Err(Error::Service(text)) if is_from_further_on(&text) => {}
        other => return Err(format!("{other:?}").into()),
    }
    same("product after the panic", client.mul(Args { a: 3, b: 3 }).await?.c, 9)
}

/// Tells whether the server had found the method before it failed.
fn is_from_further_on(text: &str) -> bool {
    !text.is_empty() && !text.starts_with("rpcx: can't find")
}
