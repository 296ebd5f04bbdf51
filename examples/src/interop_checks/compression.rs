//! Who compresses what: payloads of more than 1,024 bytes, if the request asked for it.

use rpcx::codec;
use rpcx::protocol::{Compression, Compressor as _, Gzip, Message, SerializeType};
use rpcx::{Bytes, client::Channel};

use super::raw::{RawRequest, check_reply};
use super::tap::Tap;
use super::target::msgpack;
use super::{Check, Failure, Target, check, ensure, noise, same};
use crate::interop::{Args, InteropClient, ProtoReply};

pub(super) const CHECKS: &[Check] = &[
    check!("compression/threshold_raw", threshold(SerializeType::RAW)),
    check!("compression/threshold_msgpack", threshold(SerializeType::MSGPACK)),
    check!("compression/threshold_json", threshold(SerializeType::JSON)),
    check!("compression/only_if_asked", only_if_asked()),
    check!("compression/small_request", small_request()),
    check!("compression/protobuf_request", protobuf_request()),
    check!("compression/reply_restores", reply_restores()),
    check!("compression/metadata_is_not_compressed", metadata_is_not_compressed()),
];

/// The client compresses what has more than 1,024 bytes, and so does the server with its reply.
async fn threshold(target: Target, serialize_type: SerializeType) -> Result<(), Failure> {
    let tap = Tap::default();
    let builder = target.builder().codec(serialize_type).compress(Compression::GZIP);
    let channel: Channel = builder.connector(tap.clone()).connect_to(&target.address()).await?;
    let client = InteropClient::new(channel);
    for size in [0, 1, 764, 765, 766, 767, 1021, 1022, 1023, 1024, 1025, 5000] {
        let data = Bytes::from(noise(size));
        let mut payload = Vec::new();
        codec::encode(serialize_type, &data, &mut payload)?;
        let echoed = client.echo(&data).await?;
        ensure(echoed == data, || format!("{size} bytes went, {} others came", echoed.len()))?;
        let wanted = if payload.len() > 1024 { Compression::GZIP } else { Compression::NONE };
        let traffic = tap.traffic();
        let last = |messages: &[Message]| messages.last().map(|last| last.header().compression());
        same(&format!("request of {size} bytes"), last(&traffic.requests), Some(wanted))?;
        same(&format!("response of {size} bytes"), last(&traffic.responses), Some(wanted))?;
    }
    Ok(())
}

/// A request without the flag gets a reply without it, whatever its length.
async fn only_if_asked(target: Target) -> Result<(), Failure> {
    let mut connection = target.raw().await?;
    let data = noise(5000);
    let request = target.request(1, SerializeType::RAW, "Arith", "Echo", data.as_slice());
    let response = connection.exchange(&request).await?;
    same("compression", response.header().compression(), Compression::NONE)?;
    ensure(response.payload() == data, || "the payload differs".to_owned())
}

/// A request may be compressed however small it is; its small reply is not.
async fn small_request(target: Target) -> Result<(), Failure> {
    let mut connection = target.raw().await?;
    let payload = msgpack(&Args { a: 6, b: 7 })?;
    let request = target.request(5, SerializeType::MSGPACK, "Arith", "Mul", payload);
    let response = connection.exchange(&compressed(request)?).await?;
    same("compression", response.header().compression(), Compression::NONE)?;
    check_reply(&response, 42)
}

/// A protobuf request on each side of 1,024 bytes: fields that nobody knows make it long.
async fn protobuf_request(target: Target) -> Result<(), Failure> {
    let mut connection = target.raw().await?;
    for unknown in [0, 1015, 1016, 1017, 1018, 5000] {
        // Fields 1 and 2 are numbers, field 15 is bytes.
        let mut payload = vec![0x08, 6, 0x10, 7];
        if unknown > 0 {
            payload.push(0x7a);
            prost::encode_length_delimiter(unknown, &mut payload)?;
            payload.extend(noise(unknown));
        }
        let request = target.request(6, SerializeType::PROTOBUF, "PBArith", "Mul", payload);
        let response = connection.exchange(&compressed(request)?).await?;
        same("compression", response.header().compression(), Compression::NONE)?;
        let reply: ProtoReply = codec::decode_message(&response.payload())?;
        same("reply", reply.c, 42)?;
    }
    Ok(())
}

/// A compressed reply holds one gzip stream of the very payload.
async fn reply_restores(target: Target) -> Result<(), Failure> {
    let mut connection = target.raw().await?;
    for data in [noise(1025), vec![b'x'; 100_000]] {
        let request = target.request(7, SerializeType::RAW, "Arith", "Echo", data.as_slice());
        let response = connection.exchange(&compressed(request)?).await?;
        same("compression", response.header().compression(), Compression::GZIP)?;
        let restored = Gzip::default().decompress(&response.payload(), data.len())?;
        ensure(restored == data, || format!("{} bytes differ", data.len()))?;
    }
    Ok(())
}

/// Names and metadata stay as they are, both ways.
async fn metadata_is_not_compressed(target: Target) -> Result<(), Failure> {
    let mut connection = target.raw().await?;
    let value = "v".repeat(4000);
    let request = target.request(8, SerializeType::MSGPACK, "Arith", "Meta", [0x80]);
    let response = connection.exchange(&compressed(request.with_metadata("k", &value))?).await?;
    let echoed = response.metadata_value("echo-k");
    ensure(echoed == Some(value.as_bytes()), || "the metadata differs".to_owned())?;
    // The map in the reply is longer than 1,024 bytes.
    same("compression", response.header().compression(), Compression::GZIP)
}

fn compressed(mut request: RawRequest) -> Result<RawRequest, Failure> {
    request.header = request.header.with_compression(Compression::GZIP);
    request.payload = Gzip::default().compress(&request.payload)?;
    Ok(request)
}
