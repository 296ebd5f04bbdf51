//! The fuzz targets in small: what they hold of every input, for inputs by chance and for changed ones that Go
//! rpcx 1.9.4 wrote.
//!
//! `RPCX_CORPUS=rpcx-runtime/fuzz/corpus cargo test -p rpcx-runtime --test fuzz_targets` writes what the fuzzer
//! begins with.
#![cfg(all(feature = "json", feature = "gzip"))]

#[path = "support/fuzz_targets.rs"]
mod fuzz_targets;
#[path = "support/golden.rs"]
mod golden;

use std::path::Path;

use fastrand::Rng;
use golden::{hex, lines};
use serde::Deserialize;

/// A target, and what it begins with.
struct Target {
    name: &'static str,
    run: fn(&[u8]),
    seeds: Vec<Vec<u8>>,
}

#[derive(Deserialize)]
struct Frame {
    hex: String,
    compress: u8,
}

#[derive(Deserialize)]
struct Payload {
    codec: String,
    hex: String,
}

fn targets() -> Vec<Target> {
    let frames: Vec<Frame> = lines(include_str!("golden/frames.jsonl"));
    let payloads: Vec<Payload> = lines(include_str!("golden/payloads.jsonl"));
    let of_codec = |codec: &str| {
        let of = payloads.iter().filter(|payload| payload.codec == codec);
        of.map(|payload| hex(&payload.hex)).collect::<Vec<_>>()
    };
    let frames: Vec<(bool, Vec<u8>)> =
        frames.iter().map(|frame| (frame.compress == 1, hex(&frame.hex))).collect();
    let field = |bytes: &[u8], place: usize| {
        let mut at = 16;
        for _ in 0..place {
            at += 4 + length(bytes, at);
        }
        bytes[at + 4..at + 4 + length(bytes, at)].to_vec()
    };
    let metadata = frames.iter().map(|(_, bytes)| field(bytes, 2)).collect();
    let gzip = frames.iter().filter(|(gzip, _)| *gzip).map(|(_, bytes)| field(bytes, 3)).collect();
    let registry = [
        "tcp@127.0.0.1:8972",
        "localhost:8972",
        "tcp@[::1]:8972",
        "unix@/run/arith.sock",
        "weight=5&group=a&group=b&state=inactive",
        "latitude=39.9&longitude=116.4&color=red%20&%5B%5D",
        "calls=12.5&connections=3&tps=1",
    ];
    #[cfg(feature = "protobuf")]
    let protobuf =
        [of_codec("protobuf"), vec![b"\x08\x07\x1a\x02\x08\x01\x22\x00".to_vec()]].concat();
    let raw = vec![b"".to_vec(), b"bytes".to_vec()];
    let frames = frames.into_iter().map(|(_, bytes)| bytes).filter(|bytes| bytes.len() < 4_096);
    let target = |name, run, seeds| Target { name, run, seeds };
    vec![
        target("frame", fuzz_targets::frame, frames.collect()),
        target("metadata", fuzz_targets::metadata, metadata),
        target("msgpack", fuzz_targets::msgpack, of_codec("msgpack")),
        target("json", fuzz_targets::json, of_codec("json")),
        #[cfg(feature = "protobuf")]
        target("protobuf", fuzz_targets::protobuf, protobuf),
        target("raw", fuzz_targets::raw, raw),
        target("decompress", fuzz_targets::decompress, gzip),
        target("registry", fuzz_targets::registry, registry.map(Into::into).to_vec()),
    ]
}

fn length(bytes: &[u8], at: usize) -> usize {
    u32::from_be_bytes(*bytes[at..].first_chunk().expect("Go wrote it")) as usize
}

#[test]
fn every_target_holds_for_what_go_wrote_and_for_changes_of_it() {
    let long = std::env::var("RPCX_LONG").is_ok_and(|long| long == "1");
    let rounds = if long { 20_000 } else { 3_000 };
    for Target { name, run, seeds } in targets() {
        assert!(!seeds.is_empty(), "{name}");
        for seed in &seeds {
            run(seed);
        }
        let mut rng = Rng::with_seed(1);
        for _ in 0..rounds {
            let mut input = seeds[rng.usize(0..seeds.len())].clone();
            for _ in 0..rng.usize(1..6) {
                change(&mut input, &mut rng);
            }
            check(name, run, &input);
        }
    }
}

#[test]
fn every_target_holds_for_deep_nesting() {
    for unit in [&b"\x91"[..], b"\x81\xa1a", b"[", b"{\"a\":", b"\x0b", b"\xdd\xff\xff\xff\xff"] {
        let input = unit.repeat(100_000 / unit.len());
        for Target { name, run, .. } in targets() {
            check(name, run, &input);
            check(name, run, &input[..2_000]);
        }
    }
}

#[test]
fn the_corpus_is_written_where_it_is_asked_for() {
    let Some(folder) = std::env::var_os("RPCX_CORPUS") else { return };
    // Tests run in the package's folder.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(folder);
    for Target { name, seeds, .. } in targets() {
        let folder = folder.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        for (number, seed) in seeds.iter().enumerate() {
            std::fs::write(folder.join(format!("go-{number}")), seed).unwrap();
        }
    }
}

/// Runs a target; tells the input that it fails with.
fn check(name: &str, run: fn(&[u8]), input: &[u8]) {
    let failed = std::panic::catch_unwind(|| run(input)).is_err();
    let start = &input[..input.len().min(200)];
    assert!(!failed, "{name} fails with {} bytes, {start:02x?}", input.len());
}

/// Makes a change that a fuzzer might.
fn change(input: &mut Vec<u8>, rng: &mut Rng) {
    let odd = [0, 1, 0x7f, 0x80, 0xff, 0xc0, 0xc1, 0xdf, b'[', b'{', b'"', b'&', b'%', b'@'];
    let value = if rng.bool() { rng.u8(..) } else { odd[rng.usize(0..odd.len())] };
    let at = rng.usize(0..=input.len());
    match rng.u8(0..6) {
        0 => input.insert(at, value),
        1 => input.truncate(at),
        2 => input.extend_from_within(at..),
        3 => drop(input.drain(at..(at + rng.usize(0..9)).min(input.len()))),
        _ if at < input.len() => input[at] = value,
        _ => input.push(value),
    }
}
