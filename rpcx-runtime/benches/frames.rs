//! What it costs to write a message and to take one out of the bytes that came, with and without metadata.
//!
//! Figures are of [`FRAMES`] messages at a time, as they come in one read of a busy connection; the
//! items a second are messages.

use std::hint::black_box;

use bytes::BytesMut;
use divan::Bencher;
use divan::counter::ItemsCount;
use rpcx::Metadata;
use rpcx::protocol::{Decoded, Header, Limits, Message, Output, SerializeType};

/// Bytes of the payload: two numbers, a message of 40 fields, a page.
const PAYLOADS: [usize; 3] = [7, 581, 4096];
/// Pairs of metadata.
const PAIRS: [usize; 3] = [0, 2, 16];
const FRAMES: u32 = 64;

fn main() {
    divan::main();
}

fn metadata(pairs: usize) -> Metadata {
    (0..pairs).map(|n| (format!("x-key-{n}"), format!("the value of {n}"))).collect()
}

fn write(metadata: &Metadata, payload: &[u8], out: &mut Output) {
    for seq in 0..u64::from(FRAMES) {
        let header = Header::request(seq, SerializeType::MSGPACK);
        let pairs = metadata.iter().map(|(key, value)| (key.as_bytes(), value.as_bytes()));
        out.frame(header, b"Arith", b"Mul", pairs, payload);
    }
}

fn written(pairs: usize, payload: usize) -> BytesMut {
    let mut out = Output::new();
    write(&metadata(pairs), &vec![7; payload], &mut out);
    BytesMut::from(out.to_vec().as_slice())
}

fn read(bytes: &mut BytesMut, mut see: impl FnMut(&Message)) {
    let limits = Limits::default();
    while let Ok(Decoded::Message(message)) = Message::decode(bytes, &limits) {
        see(&message);
    }
}

#[divan::bench(args = PAYLOADS)]
fn encode(bencher: Bencher<'_, '_>, payload: usize) {
    let (metadata, payload) = (Metadata::new(), vec![7; payload]);
    bencher.counter(ItemsCount::new(FRAMES)).with_inputs(Output::new).bench_local_values(
        |mut out| {
            write(&metadata, black_box(&payload), &mut out);
            out
        },
    );
}

#[divan::bench(args = PAYLOADS)]
fn decode(bencher: Bencher<'_, '_>, payload: usize) {
    let bytes = written(0, payload);
    let bencher = bencher.counter(ItemsCount::new(FRAMES)).with_inputs(|| bytes.clone());
    bencher.bench_local_refs(|bytes| read(bytes, |message| drop(black_box(message.payload()))));
}

#[divan::bench(args = PAIRS)]
fn encode_metadata(bencher: Bencher<'_, '_>, pairs: usize) {
    let metadata = metadata(pairs);
    bencher.counter(ItemsCount::new(FRAMES)).with_inputs(Output::new).bench_local_values(
        |mut out| {
            write(black_box(&metadata), b"payload", &mut out);
            out
        },
    );
}

/// As a handler that asks for the metadata pays for it.
#[divan::bench(args = PAIRS)]
fn decode_metadata(bencher: Bencher<'_, '_>, pairs: usize) {
    let bytes = written(pairs, 7);
    let bencher = bencher.counter(ItemsCount::new(FRAMES)).with_inputs(|| bytes.clone());
    bencher.bench_local_refs(|bytes| read(bytes, |message| drop(black_box(message.metadata()))));
}

/// As every call pays for it: the server looks for one key.
#[divan::bench(args = PAIRS)]
fn find_key(bencher: Bencher<'_, '_>, pairs: usize) {
    let bytes = written(pairs, 7);
    let bencher = bencher.counter(ItemsCount::new(FRAMES)).with_inputs(|| bytes.clone());
    bencher.bench_local_refs(|bytes| {
        read(bytes, |message| {
            black_box(message.metadata_value("__ServerTimeout"));
        });
    });
}
