//! Messages to send, and what is read of those that come back.

use std::collections::BTreeMap;

use rpcx::codec;
use rpcx::protocol::{Compression, Header, Kind, Message, Output, Peer, SerializeType, Status};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Args;

/// A message to send.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) header: Header,
    pub(crate) path: Vec<u8>,
    pub(crate) method: Vec<u8>,
    pub(crate) metadata: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    /// A call of a method of `Arith` in `MessagePack`.
    pub(crate) fn call(seq: u64, method: &str, arguments: &impl Serialize) -> Self {
        Self {
            header: Header::request(seq, SerializeType::MSGPACK),
            path: b"Arith".to_vec(),
            method: method.into(),
            metadata: Vec::new(),
            payload: pack(arguments),
        }
    }

    /// The call whose answer is [`Answer::forty_two`].
    pub(crate) fn mul(seq: u64) -> Self {
        Self::call(seq, "Mul", &Args { a: 6, b: 7 })
    }

    /// A call of `Arith.Echo` with raw bytes.
    pub(crate) fn echo(seq: u64, bytes: impl Into<Vec<u8>>) -> Self {
        let frame = Self { method: b"Echo".to_vec(), payload: bytes.into(), ..Self::mul(seq) };
        frame.codec(SerializeType::RAW)
    }

    pub(crate) fn metadata(mut self, key: &str, value: &str) -> Self {
        self.metadata.push((key.into(), value.into()));
        self
    }

    pub(crate) fn oneway(mut self) -> Self {
        self.header = self.header.with_oneway();
        self
    }

    /// Says that the client is a peer of this crate.
    pub(crate) fn marked(mut self) -> Self {
        self.header = self.header.with_peer(Peer::Client);
        self
    }

    /// Replaces the codec's number in the header.
    pub(crate) fn codec(mut self, serialize_type: SerializeType) -> Self {
        let mut bytes = self.header.encode();
        bytes[3] = serialize_type.id() << 4;
        self.header = Header::decode(bytes).unwrap();
        self
    }

    /// Says that the payload, as it is, was compressed.
    pub(crate) fn compressed(mut self, compression: Compression) -> Self {
        self.header = self.header.with_compression(compression);
        self
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let pairs = self.metadata.iter().map(|(key, value)| (key.as_slice(), value.as_slice()));
        let mut output = Output::new();
        output.frame(self.header, &self.path, &self.method, pairs, &self.payload);
        output.to_vec()
    }
}

/// A response, as far as most tests look at it.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) seq: u64,
    /// The payload, or the error's text.
    pub(crate) result: Result<Vec<u8>, String>,
    /// Without the error's text.
    pub(crate) metadata: BTreeMap<String, String>,
}

impl Answer {
    pub(crate) fn of(message: &Message) -> Self {
        assert_eq!(message.header().kind(), Kind::Response);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("metadata is text");
        let pairs = message.pairs().map(|(key, value)| (text(key), text(value)));
        let mut metadata: BTreeMap<String, String> = pairs.collect();
        assert_eq!(metadata.len(), message.pairs().count(), "a key comes twice");
        let error = metadata.remove("__rpcx_error__");
        let result = match (message.header().status(), error) {
            (Status::Normal, None) => Ok(message.payload().to_vec()),
            (Status::Error, Some(text)) => {
                assert_eq!(message.payload(), [].as_slice(), "an error has no payload");
                Err(text)
            }
            other => panic!("status and error text contradict each other: {other:?}"),
        };
        Self { seq: message.header().seq(), result, metadata }
    }

    pub(crate) fn ok(seq: u64, payload: impl Into<Vec<u8>>) -> Self {
        Self { seq, result: Ok(payload.into()), metadata: BTreeMap::new() }
    }

    pub(crate) fn error(seq: u64, text: &str) -> Self {
        Self { seq, result: Err(text.to_owned()), metadata: BTreeMap::new() }
    }

    /// An error that says that nothing ran.
    pub(crate) fn refused(seq: u64, text: &str) -> Self {
        let metadata = [("__rpcx_not_executed".to_owned(), text.to_owned())].into();
        Self { metadata, ..Self::error(seq, text) }
    }

    /// The answer to [`Frame::mul`].
    pub(crate) fn forty_two(seq: u64) -> Self {
        Self::ok(seq, b"\x81\xa1C\x2a")
    }
}

/// Writes a message from its parts, as they were decoded.
pub(crate) fn reencode(message: &Message) -> Vec<u8> {
    let mut output = Output::new();
    output.frame(
        message.header(),
        message.service_path(),
        message.service_method(),
        message.pairs(),
        &message.payload(),
    );
    output.to_vec()
}

/// Writes a value in `MessagePack`.
pub(crate) fn pack(value: &impl Serialize) -> Vec<u8> {
    let mut payload = Vec::new();
    codec::encode(SerializeType::MSGPACK, value, &mut payload).unwrap();
    payload
}

/// Reads a value in `MessagePack`.
pub(crate) fn unpack<T: DeserializeOwned>(payload: &[u8]) -> T {
    let payload = payload.to_vec().into();
    codec::decode(SerializeType::MSGPACK, &payload).unwrap()
}
