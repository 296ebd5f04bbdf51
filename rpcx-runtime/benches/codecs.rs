//! What each codec costs, on a message of 40 fields, on two numbers, and on bytes.

use std::hint::black_box;

use bytes::Bytes;
use divan::Bencher;
use divan::counter::BytesCount;
use rpcx::codec;
use rpcx::protocol::SerializeType;
use serde::Serialize;
use serde::de::DeserializeOwned;

#[path = "../../examples/src/bench.rs"]
#[allow(dead_code, unreachable_pub, reason = "the services of the benchmark are not served here")]
mod services;

use services::{BenchmarkMessage, Blob, MulArgs};

const SERDE: [&str; 2] = ["msgpack", "json"];
const SIZES: [usize; 3] = [1 << 10, 64 << 10, 1 << 20];

fn main() {
    divan::main();
}

fn serialize_type(name: &str) -> SerializeType {
    match name {
        "json" => SerializeType::JSON,
        _ => SerializeType::MSGPACK,
    }
}

fn encoded(serialize_type: SerializeType, value: &impl Serialize) -> Bytes {
    let mut out = Vec::new();
    codec::encode(serialize_type, value, &mut out).expect("the value has a form in the codec");
    out.into()
}

fn encode(bencher: Bencher<'_, '_>, serialize_type: SerializeType, value: &impl Serialize) {
    let size = encoded(serialize_type, value).len();
    let mut out = Vec::with_capacity(size);
    bencher.counter(BytesCount::new(size)).bench_local(|| {
        out.clear();
        codec::encode(serialize_type, black_box(value), &mut out).is_ok()
    });
}

fn decode<T: Serialize + DeserializeOwned>(
    bencher: Bencher<'_, '_>,
    serialize_type: SerializeType,
    value: &T,
) {
    let payload = encoded(serialize_type, value);
    bencher
        .counter(BytesCount::new(payload.len()))
        .bench_local(|| codec::decode::<T>(serialize_type, black_box(&payload)));
}

#[divan::bench(args = SERDE)]
fn encode_msg(bencher: Bencher<'_, '_>, codec: &str) {
    encode(bencher, serialize_type(codec), &BenchmarkMessage::prepare());
}

#[divan::bench(args = SERDE)]
fn decode_msg(bencher: Bencher<'_, '_>, codec: &str) {
    decode(bencher, serialize_type(codec), &BenchmarkMessage::prepare());
}

#[divan::bench(args = SERDE)]
fn encode_mul(bencher: Bencher<'_, '_>, codec: &str) {
    encode(bencher, serialize_type(codec), &MulArgs { a: 7, b: 6 });
}

#[divan::bench(args = SERDE)]
fn decode_mul(bencher: Bencher<'_, '_>, codec: &str) {
    decode(bencher, serialize_type(codec), &MulArgs { a: 7, b: 6 });
}

/// Bytes in a field, in `MessagePack`: one copy to write.
#[divan::bench(args = SIZES)]
fn encode_bytes(bencher: Bencher<'_, '_>, size: usize) {
    encode(bencher, SerializeType::MSGPACK, &Blob { data: vec![7; size].into() });
}

/// The same to read: from 4 KiB on no copy.
#[divan::bench(args = SIZES)]
fn decode_bytes(bencher: Bencher<'_, '_>, size: usize) {
    decode(bencher, SerializeType::MSGPACK, &Blob { data: vec![7; size].into() });
}

#[cfg(feature = "protobuf")]
mod protobuf {
    use super::{Bencher, BenchmarkMessage, Bytes, BytesCount, MulArgs, black_box, codec};

    fn encoded(value: &impl prost::Message) -> Vec<u8> {
        let mut out = Vec::new();
        codec::encode_message(value, &mut out).expect("every message has a form in protobuf");
        out
    }

    fn encode(bencher: Bencher<'_, '_>, value: &impl prost::Message) {
        let mut out = encoded(value);
        bencher.counter(BytesCount::new(out.len())).bench_local(|| {
            out.clear();
            codec::encode_message(black_box(value), &mut out).is_ok()
        });
    }

    fn decode<T: prost::Message + Default>(bencher: Bencher<'_, '_>, value: &T) {
        let payload = Bytes::from(encoded(value));
        bencher
            .counter(BytesCount::new(payload.len()))
            .bench_local(|| codec::decode_message::<T>(black_box(&payload)));
    }

    #[divan::bench]
    fn encode_msg(bencher: Bencher<'_, '_>) {
        encode(bencher, &BenchmarkMessage::prepare());
    }

    #[divan::bench]
    fn decode_msg(bencher: Bencher<'_, '_>) {
        decode(bencher, &BenchmarkMessage::prepare());
    }

    #[divan::bench]
    fn encode_mul(bencher: Bencher<'_, '_>) {
        encode(bencher, &MulArgs { a: 7, b: 6 });
    }

    #[divan::bench]
    fn decode_mul(bencher: Bencher<'_, '_>) {
        decode(bencher, &MulArgs { a: 7, b: 6 });
    }
}
