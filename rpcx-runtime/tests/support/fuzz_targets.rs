//! What is held of every input, whatever it is: shared by the property tests and by the fuzz targets.
//!
//! Each function fails by a panic. Those that decode values do so on a thread with 2 MiB of stack, which is
//! what tokio's threads have, so that an overflow shows.

use std::collections::BTreeMap;
use std::fmt::Debug;

use bytes::BytesMut;
use rpcx::codec;
use rpcx::protocol::{
    Compression, CompressionError, Compressor as _, Decoded, Gzip, Limits, Message, Output,
    SerializeType,
};
use rpcx::{Address, Bytes, InstanceMetadata, Time};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Messages in a stream: each means what its bytes say, and none takes more than it may.
pub(crate) fn frame(data: &[u8]) {
    for limits in [Limits::default(), Limits::default().max_message(200).max_name(12)] {
        let mut buffer = BytesMut::from(data);
        while !buffer.is_empty() {
            let before = buffer.clone();
            match Message::decode(&mut buffer, &limits) {
                Ok(Decoded::Message(message)) => {
                    let taken = &before[..before.len() - buffer.len()];
                    let mut output = Output::new();
                    output.frame(
                        message.header(),
                        message.service_path(),
                        message.service_method(),
                        message.pairs(),
                        &message.payload(),
                    );
                    assert_eq!(output.to_vec(), taken);
                }
                Ok(Decoded::Incomplete(needed)) => {
                    assert!(needed > buffer.len());
                    break;
                }
                Err(_) => break,
            }
            assert!(buffer.len() < before.len(), "it goes on");
        }
    }
}

/// Metadata of a message: `data` stands in the place of its pairs.
pub(crate) fn metadata(data: &[u8]) {
    let length = |size: usize| u32::try_from(size).unwrap_or(u32::MAX).to_be_bytes();
    let mut bytes = vec![8, 0, 0, 0x30, 0, 0, 0, 0, 0, 0, 0, 1];
    bytes.extend(length(data.len() + 16));
    bytes.extend([0; 8]);
    bytes.extend(length(data.len()));
    bytes.extend(data);
    bytes.extend([0; 4]);
    let mut buffer = BytesMut::from(bytes.as_slice());
    let Ok(Decoded::Message(message)) = Message::decode(&mut buffer, &Limits::default()) else {
        return;
    };
    let read = message.metadata();
    assert!(read.len() <= message.pairs().count());
    for (key, value) in message.pairs() {
        if let Ok(key) = std::str::from_utf8(key) {
            let last = message.metadata_value(key).expect("it is there");
            assert!(std::str::from_utf8(value).is_err() || read.get(key).is_some());
            assert!(last.len() <= data.len());
        }
    }
}

/// A payload in `MessagePack`, as values of many types.
pub(crate) fn msgpack(data: &[u8]) {
    decode_all(SerializeType::MSGPACK, data);
}

/// A payload in JSON, as values of many types.
pub(crate) fn json(data: &[u8]) {
    decode_all(SerializeType::JSON, data);
}

/// A payload in protobuf, as a message that holds itself.
#[cfg(feature = "protobuf")]
pub(crate) fn protobuf(data: &[u8]) {
    on_a_small_stack(|| {
        let payload = bytes::Bytes::copy_from_slice(data);
        let Ok(tree) = codec::decode_message::<Tree>(&payload) else { return };
        let mut written = Vec::new();
        codec::encode_message(&tree, &mut written).expect("it was read");
        assert_eq!(codec::decode_message::<Tree>(&written.into()).as_ref(), Ok(&tree));
    });
}

/// A payload of bytes, as values of many types.
pub(crate) fn raw(data: &[u8]) {
    decode_all(SerializeType::RAW, data);
}

/// A payload that was compressed: no more comes out than may.
pub(crate) fn decompress(data: &[u8]) {
    for limit in [0, 100, 1 << 20] {
        match Gzip::default().decompress(data, limit) {
            Ok(out) => assert!(out.len() <= limit),
            Err(CompressionError::TooLong(told)) => assert_eq!(told, limit),
            Err(_) => {}
        }
    }
    let compressed = Gzip::default().compress(data).expect("it compresses anything");
    assert_eq!(Gzip::default().decompress(&compressed, data.len()).as_deref(), Ok(data));
    assert_eq!(Compression::from_id(data.first().copied().unwrap_or(0)).id() & !7, 0);
}

/// What a registry may hold: addresses, and what servers say of themselves.
pub(crate) fn registry(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(address) = text.parse::<Address>() {
        assert_eq!(address.to_string().parse::<Address>().as_ref(), Ok(&address));
    }
    let read = InstanceMetadata::parse(&text);
    let _ = (read.weight(), read.is_inactive(), read.groups().count());
    if let Some((latitude, longitude)) = read.location() {
        assert!(!latitude.is_nan() && !longitude.is_nan());
    }
    let again = InstanceMetadata::parse(&read.to_string());
    let sorted = |metadata: &InstanceMetadata| {
        let mut pairs: Vec<_> =
            metadata.iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        pairs.sort();
        pairs
    };
    assert_eq!(sorted(&again), sorted(&read));
}

/// Types that users might name.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Nested {
    #[serde(default)]
    number: i64,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    cargo: Bytes,
    #[serde(default)]
    children: Vec<Self>,
    #[serde(default)]
    by_name: BTreeMap<String, Self>,
}

#[derive(Debug, Deserialize, PartialEq, Serialize)]
enum Shape {
    Point,
    Circle(u32),
    Rectangle { a: u8, b: u8 },
    Group(Vec<Self>),
}

#[cfg(feature = "protobuf")]
#[derive(Clone, PartialEq, prost::Message)]
struct Tree {
    #[prost(int32, tag = "1")]
    a: i32,
    #[prost(string, tag = "2")]
    text: String,
    #[prost(message, optional, boxed, tag = "3")]
    child: Option<Box<Tree>>,
    #[prost(message, repeated, tag = "4")]
    children: Vec<Tree>,
    #[prost(uint64, repeated, tag = "5")]
    numbers: Vec<u64>,
    #[prost(btree_map = "string, message", tag = "6")]
    by_name: BTreeMap<String, Tree>,
    #[prost(bytes = "vec", tag = "7")]
    cargo: Vec<u8>,
}

fn decode_all(codec: SerializeType, data: &[u8]) {
    on_a_small_stack(|| {
        let payload = bytes::Bytes::copy_from_slice(data);
        decode_one::<()>(codec, &payload);
        decode_one::<bool>(codec, &payload);
        decode_one::<u8>(codec, &payload);
        decode_one::<i64>(codec, &payload);
        decode_one::<String>(codec, &payload);
        decode_one::<Bytes>(codec, &payload);
        decode_one::<Time>(codec, &payload);
        decode_one::<Option<Box<Nested>>>(codec, &payload);
        decode_one::<Vec<Vec<Shape>>>(codec, &payload);
        decode_one::<(u8, String, [i16; 2])>(codec, &payload);
        decode_one::<BTreeMap<String, Vec<u64>>>(codec, &payload);
        // Values whose type is not known, however deep.
        let _ = codec::decode::<serde_json::Value>(codec, &payload);
    });
}

/// What is read and written again reads the same.
fn decode_one<T: DeserializeOwned + Serialize + PartialEq + Debug>(
    codec: SerializeType,
    payload: &bytes::Bytes,
) {
    let Ok(value) = codec::decode::<T>(codec, payload) else { return };
    let mut written = Vec::new();
    if codec::encode(codec, &value, &mut written).is_err() {
        // A time may be read that has no form in this codec.
        return;
    }
    let again = codec::decode::<T>(codec, &written.into());
    assert_eq!(again.expect("what was written reads"), value);
}

fn on_a_small_stack(run: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(2 << 20).spawn_scoped(scope, run);
        if let Err(panic) = thread.expect("a thread starts").join() {
            std::panic::resume_unwind(panic);
        }
    });
}
