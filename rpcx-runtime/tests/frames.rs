//! Frames that Go rpcx 1.9.4 wrote, and what is in them.

mod support;

use std::collections::BTreeMap;

use bytes::BytesMut;
use rpcx::Metadata;
use rpcx::protocol::{
    Compression, Compressor as _, DecodeError, Decoded, Gzip, Kind, Limits, Message, Output, Status,
};
use serde::Deserialize;

use support::{hex, lines, reencode};

/// Written by Go rpcx 1.9.4's own encoder.
const FRAMES: &str = include_str!("golden/frames.jsonl");

/// A frame and what it holds.
#[derive(Deserialize)]
struct Golden {
    name: String,
    hex: String,
    version: u8,
    r#type: u8,
    heartbeat: bool,
    oneway: bool,
    compress: u8,
    status: u8,
    serialize: u8,
    seq: u64,
    service_path: String,
    service_method: String,
    metadata: BTreeMap<String, String>,
    /// After decompression.
    payload_hex: String,
    /// An encoder has no choice but these bytes.
    byte_exact: bool,
}

/// All that a frame says, in types that compare.
#[derive(Debug, PartialEq)]
struct Values {
    header: (u8, u8, bool, bool, u8, u8, u8, u64),
    service_path: Vec<u8>,
    service_method: Vec<u8>,
    metadata: Metadata,
    payload: Vec<u8>,
}

impl Golden {
    fn all() -> Vec<Self> {
        let all: Vec<Self> = lines(FRAMES);
        assert_eq!(all.len(), 52);
        all
    }

    fn bytes(&self) -> Vec<u8> {
        hex(&self.hex)
    }

    fn values(&self) -> Values {
        Values {
            header: (
                self.version,
                self.r#type,
                self.heartbeat,
                self.oneway,
                self.compress,
                self.status,
                self.serialize,
                self.seq,
            ),
            service_path: self.service_path.clone().into(),
            service_method: self.service_method.clone().into(),
            metadata: self.metadata.clone().into_iter().collect(),
            payload: hex(&self.payload_hex),
        }
    }

    /// The narrowest limits that let the frame pass.
    fn limits(&self) -> Limits {
        let keys = self.metadata.keys().map(String::len);
        let names = keys.chain([self.service_path.len(), self.service_method.len()]);
        Limits::default()
            .max_message(self.bytes().len() - 16)
            .max_name(names.max().unwrap_or_default())
            .max_metadata_pairs(self.metadata.len())
            .max_decompressed(self.payload_hex.len() / 2)
    }
}

impl Values {
    fn of(message: &Message) -> Self {
        let header = message.header();
        let payload = message.payload();
        Self {
            header: (
                header.version(),
                u8::from(header.kind() == Kind::Response),
                header.is_heartbeat(),
                header.is_oneway(),
                header.compression().id(),
                match header.status() {
                    Status::Normal => 0,
                    Status::Error => 1,
                    Status::Reserved(value) => value,
                },
                header.serialize_type().id(),
                header.seq(),
            ),
            service_path: message.service_path().to_vec(),
            service_method: message.service_method().to_vec(),
            metadata: message.metadata(),
            payload: match header.compression() {
                Compression::NONE => payload.to_vec(),
                _ => Gzip::default().decompress(&payload, 1 << 20).unwrap(),
            },
        }
    }
}

/// Decodes a frame and nothing behind it.
fn decode(bytes: &[u8], limits: &Limits) -> Result<Message, DecodeError> {
    let mut buffer = BytesMut::from(bytes);
    match Message::decode(&mut buffer, limits)? {
        Decoded::Message(message) => {
            assert!(buffer.is_empty(), "the whole frame was taken");
            Ok(message)
        }
        Decoded::Incomplete(needed) => panic!("{needed} bytes are said to be needed"),
    }
}

#[test]
fn every_frame_decodes_to_what_go_put_into_it() {
    for golden in Golden::all() {
        let message = decode(&golden.bytes(), &golden.limits()).unwrap();
        assert_eq!(Values::of(&message), golden.values(), "{}", golden.name);
    }
}

#[test]
fn every_limit_lets_through_what_just_fits_and_nothing_more() {
    for golden in Golden::all() {
        let name = &golden.name;
        let bytes = golden.bytes();
        let size = bytes.len() - 16;
        let limits = golden.limits().max_message(size - 1);
        let refused = decode(&bytes, &limits).unwrap_err();
        assert_eq!(refused, DecodeError::TooLong { size, limit: size - 1 }, "{name}");
        if let Some(limit) = golden.metadata.len().checked_sub(1) {
            let limits = golden.limits().max_metadata_pairs(limit);
            let refused = decode(&bytes, &limits).unwrap_err();
            assert_eq!(refused, DecodeError::TooManyPairs(limit), "{name}");
        }
        let keys = golden.metadata.keys().map(String::len);
        let names = [golden.service_path.len(), golden.service_method.len()];
        let longest = keys.chain(names).max().unwrap();
        if let Some(limit) = longest.checked_sub(1) {
            let refused = decode(&bytes, &golden.limits().max_name(limit)).unwrap_err();
            assert_eq!(refused, DecodeError::NameTooLong { size: longest, limit }, "{name}");
        }
    }
}

#[test]
fn default_limits_refuse_long_names_alone() {
    for golden in Golden::all() {
        let result = decode(&golden.bytes(), &Limits::default()).map(|_| ());
        let expected = if golden.name == "long-names" {
            Err(DecodeError::NameTooLong { size: golden.service_method.len(), limit: 1024 })
        } else {
            Ok(())
        };
        assert_eq!(result, expected, "{}", golden.name);
    }
}

#[test]
fn what_was_decoded_encodes_to_the_same_bytes() {
    for golden in Golden::all() {
        let message = decode(&golden.bytes(), &golden.limits()).unwrap();
        assert_eq!(reencode(&message), golden.bytes(), "{}", golden.name);
        assert_eq!(message.as_bytes(), golden.bytes(), "{}", golden.name);
    }
}

#[test]
fn values_encode_to_gos_bytes_or_to_others_that_mean_the_same() {
    let mut exact = 0;
    for golden in Golden::all() {
        let values = golden.values();
        let header = decode(&golden.bytes(), &golden.limits()).unwrap().header();
        let payload = match header.compression() {
            Compression::NONE => values.payload.clone(),
            _ => Gzip::default().compress(&values.payload).unwrap(),
        };
        let pairs = values.metadata.iter();
        let pairs = pairs.map(|(key, value)| (key.as_bytes(), value.as_bytes()));
        let mut output = Output::new();
        output.frame(header, &values.service_path, &values.service_method, pairs, &payload);
        let bytes = output.to_vec();
        if golden.byte_exact {
            assert_eq!(bytes, golden.bytes(), "{}", golden.name);
            exact += 1;
        }
        let limits = Limits::default().max_name(1 << 20);
        assert_eq!(Values::of(&decode(&bytes, &limits).unwrap()), values, "{}", golden.name);
    }
    assert_eq!(exact, 37);
}
