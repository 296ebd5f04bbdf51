//! Values and bytes through every codec, with and without gzip.

use rpcx::client::Channel;
use rpcx::protocol::{Compression, SerializeType};
use rpcx::{Bytes, Error};

use super::tap::Tap;
use super::{Check, Failure, Target, check, ensure, noise, same};
use crate::interop::{Args, InteropClient, PbArithClient, ProtoArgs};

pub(super) const CHECKS: &[Check] = &[
    check!("codecs/mul_msgpack", mul(SerializeType::MSGPACK, Compression::NONE)),
    check!("codecs/mul_msgpack_gzip", mul(SerializeType::MSGPACK, Compression::GZIP)),
    check!("codecs/mul_json", mul(SerializeType::JSON, Compression::NONE)),
    check!("codecs/mul_json_gzip", mul(SerializeType::JSON, Compression::GZIP)),
    check!("codecs/mul_protobuf", mul_protobuf(Compression::NONE)),
    check!("codecs/mul_protobuf_gzip", mul_protobuf(Compression::GZIP)),
    check!("codecs/extreme_integers_msgpack", extreme_integers(SerializeType::MSGPACK)),
    check!("codecs/extreme_integers_json", extreme_integers(SerializeType::JSON)),
    check!("codecs/echo_raw", echo(SerializeType::RAW, Compression::NONE, SIZES)),
    check!("codecs/echo_raw_gzip", echo(SerializeType::RAW, Compression::GZIP, SIZES)),
    check!("codecs/echo_msgpack", echo(SerializeType::MSGPACK, Compression::NONE, SIZES)),
    check!("codecs/echo_msgpack_gzip", echo(SerializeType::MSGPACK, Compression::GZIP, SIZES)),
    check!("codecs/echo_json", echo(SerializeType::JSON, Compression::NONE, SIZES)),
    check!("codecs/echo_json_gzip", echo(SerializeType::JSON, Compression::GZIP, SIZES)),
    check!("codecs/echo_1_mib", echo(SerializeType::RAW, Compression::NONE, &[1 << 20])),
    check!("codecs/echo_1_mib_gzip", echo(SerializeType::RAW, Compression::GZIP, &[1 << 20])),
    check!(
        "codecs/echo_1_mib_msgpack",
        echo(SerializeType::MSGPACK, Compression::NONE, &[1 << 20])
    ),
    check!("codecs/echo_1_mib_json_gzip", echo(SerializeType::JSON, Compression::GZIP, &[1 << 20])),
    check!("codecs/echo_16_mib", echo(SerializeType::RAW, Compression::NONE, &[16 << 20])),
];

/// Lengths whose encoded forms lie on both sides of the 1,024 bytes from which on gzip is used: a
/// `MessagePack` payload has 2 or 3 bytes more, JSON is a third longer and has quotes.
const SIZES: &[usize] = &[
    0, 1, 255, 256, 764, 765, 766, 767, 768, 1020, 1021, 1022, 1023, 1024, 1025, 4096, 65_535,
    65_536,
];

async fn mul(
    target: Target,
    serialize_type: SerializeType,
    compression: Compression,
) -> Result<(), Failure> {
    let tap = Tap::default();
    let builder = target.builder().codec(serialize_type).compress(compression);
    let client: InteropClient =
        builder.connector(tap.clone()).connect_to(&target.address()).await?;
    for (a, b) in [(10, 20), (0, 5), (-7, 6), (-1, -1), (255, 257), (-129, 1), (1 << 31, 2)] {
        let reply = client.mul(Args { a, b }).await?;
        same("product", reply.c, a * b)?;
        let response = tap.last_response().ok_or("no response passed")?;
        same("codec", response.header().serialize_type(), serialize_type)?;
        same("compression", response.header().compression(), Compression::NONE)?;
        same("service", response.service_path(), b"Arith")?;
        same("method", response.service_method(), b"Mul")?;
    }
    Ok(())
}

async fn mul_protobuf(target: Target, compression: Compression) -> Result<(), Failure> {
    let builder = target.builder().compress(compression);
    let client: PbArithClient = builder.connect_to(&target.address()).await?;
    // A message of zeros is an empty payload.
    let pairs = [(10, 20), (-3, 7), (0, 0), (0, 9), (i32::MAX, 1), (i32::MAX, -1), (i32::MIN, 1)];
    for (a, b) in pairs.into_iter().chain([(i32::MAX, 2), (i32::MIN, -1)]) {
        let reply = client.mul(ProtoArgs { a, b }).await?;
        same("product", reply.c, a.wrapping_mul(b))?;
    }
    Ok(())
}

async fn extreme_integers(target: Target, serialize_type: SerializeType) -> Result<(), Failure> {
    let channel: Channel =
        target.builder().codec(serialize_type).connect_to(&target.address()).await?;
    let client = InteropClient::new(channel);
    let edges = [0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x1_0000, 1 << 31, 1 << 32];
    let edges = edges.into_iter().flat_map(|edge| [edge, -edge, -edge - 1]);
    for a in edges.chain([i64::MAX, i64::MIN, i64::MIN + 1]) {
        for b in [0, 1, -1, 2, i64::MAX, i64::MIN] {
            let args = Args { a, b };
            same("product", client.mul(&args).await?.c, a.wrapping_mul(b))?;
            same("sum", client.add(&args).await?.c, a.wrapping_add(b))?;
        }
    }
    Ok(())
}

async fn echo(
    target: Target,
    serialize_type: SerializeType,
    compression: Compression,
    sizes: &'static [usize],
) -> Result<(), Failure> {
    let client = target.client().await?;
    for &size in sizes {
        let data = Bytes::from(noise(size));
        let call = client.echo(&data).codec(serialize_type).compress(compression);
        let echoed = call.await.map_err(|error: Error| format!("{size} bytes: {error}"))?;
        ensure(echoed == data, || format!("{size} bytes went, {} others came", echoed.len()))?;
    }
    Ok(())
}
