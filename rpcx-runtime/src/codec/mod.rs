//! Values in, payload bytes out, and back.
//!
//! Every message says in its header how its payload is written (its [`SerializeType`]); [`encode`]
//! and [`decode`] are the two functions that follow it. Nothing here touches a socket or a clock,
//! compresses, or knows what a call is.
//!
//! | id | codec         | types                               | feature    |
//! |----|---------------|-------------------------------------|------------|
//! | 0  | raw bytes     | [`Bytes`] and what serializes alike | always on  |
//! | 1  | JSON          | serde                               | `json`     |
//! | 2  | protobuf      | `prost::Message`                    | `protobuf` |
//! | 3  | `MessagePack` | serde                               | always on  |
//!
//! Payloads come from the network, so decoding is bounded: values nest at most 127 deep (100 in
//! protobuf), a length without its bytes reserves 1 MiB at most, and no codec panics whatever it is
//! given. Go's `nil` for a slice, map or `[]byte` reads as the empty one; see [`nil_as_default`] for
//! the cases this cannot reach.
//!
//! ```
//! use rpcx::codec;
//! use rpcx::protocol::SerializeType;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Debug, PartialEq, Serialize, Deserialize)]
//! #[serde(rename_all = "PascalCase")]
//! struct Args {
//!     a: i64,
//!     tags: Vec<String>,
//! }
//!
//! // What Go writes for `Args{A: 7}`: its nil slice is a MessagePack nil.
//! let from_go = bytes::Bytes::from_static(b"\x82\xa1A\x07\xa4Tags\xc0");
//! let args: Args = codec::decode(SerializeType::MSGPACK, &from_go)?;
//! assert_eq!(args, Args { a: 7, tags: vec![] });
//!
//! let mut payload = Vec::new();
//! codec::encode(SerializeType::MSGPACK, &args, &mut payload)?;
//! assert_eq!(payload, b"\x82\xa1A\x07\xa4Tags\x90");
//! # Ok::<(), codec::CodecError>(())
//! ```

mod bytes;
mod empty;
mod error;
#[cfg(feature = "json")]
mod json;
mod map_writer;
mod msgpack;
mod nil;
mod payload;
#[cfg(feature = "protobuf")]
mod protobuf;
mod raw;
mod time;

use std::marker::PhantomData;

use serde::{
    Serialize,
    de::{DeserializeOwned, DeserializeSeed},
};

pub(crate) use self::map_writer::MapWriter;
#[cfg(feature = "protobuf")]
pub use self::protobuf::{decode_message, encode_message};
pub use self::{
    bytes::Bytes,
    error::CodecError,
    nil::nil_as_default,
    time::{Time, TimeRangeError},
};
use crate::protocol::SerializeType;

/// The level of nesting that is refused, as the formats count.
const MAX_DEPTH: u8 = 128;

/// Appends `value` to `out` in the form `serialize_type` names.
///
/// `()` is written as nil (`MessagePack`), null (JSON) or nothing (raw).
///
/// # Errors
///
/// - [`CodecError::Unknown`] if no codec has the id, or its feature is off.
/// - [`CodecError::Unsupported`] if `T` has no form in that codec: raw takes bytes only, and
///   protobuf messages go through `encode_message`.
/// - [`CodecError::Encode`] if the codec or `T` refuses the value.
///
/// On an error `out` is as long as it was before.
pub fn encode<T: Serialize + ?Sized>(
    serialize_type: SerializeType,
    value: &T,
    out: &mut Vec<u8>,
) -> Result<(), CodecError> {
    let start = out.len();
    let result = match serialize_type {
        SerializeType::MSGPACK => msgpack::encode(value, out),
        #[cfg(feature = "json")]
        SerializeType::JSON => json::encode(value, out),
        SerializeType::RAW => raw::encode(value, out),
        _ => Err(not_serde::<T>(serialize_type)),
    };
    if result.is_err() {
        out.truncate(start);
    }
    result
}

/// Reads a `T` from a payload written as `serialize_type`.
///
/// Bytes after the value are ignored, as Go does. `()` reads from any well-formed value and from an
/// empty payload; for other types an empty `MessagePack` or JSON payload is an error.
///
/// A [`Bytes`] of 1 KiB or more inside a `MessagePack` or raw payload of 4 KiB or more shares the
/// payload's memory; smaller ones are copied.
///
/// # Errors
///
/// - [`CodecError::Unknown`] if no codec has the id, or its feature is off.
/// - [`CodecError::Unsupported`] if `T` has no form in that codec: raw gives bytes only, and
///   protobuf messages go through `decode_message`.
/// - [`CodecError::Decode`] if the payload is not a `T`, is cut short, or nests too deep.
pub fn decode<T: DeserializeOwned>(
    serialize_type: SerializeType,
    payload: &::bytes::Bytes,
) -> Result<T, CodecError> {
    decode_seed(serialize_type, PhantomData, payload)
}

/// Reads what `seed` asks for, as [`decode`] does.
///
/// # Errors
///
/// Those of [`decode`].
pub(crate) fn decode_seed<T, S>(
    serialize_type: SerializeType,
    seed: S,
    payload: &::bytes::Bytes,
) -> Result<T, CodecError>
where
    S: for<'de> DeserializeSeed<'de, Value = T>,
{
    match serialize_type {
        SerializeType::MSGPACK if payload.is_empty() => empty::decode(seed),
        SerializeType::MSGPACK => payload::lend(payload, || msgpack::decode(seed, payload)),
        #[cfg(feature = "json")]
        SerializeType::JSON if payload.is_empty() => empty::decode(seed),
        #[cfg(feature = "json")]
        SerializeType::JSON => json::decode(seed, payload),
        SerializeType::RAW => payload::lend(payload, || raw::decode(seed, payload)),
        _ => Err(not_serde::<T>(serialize_type)),
    }
}

/// Says why a serde type cannot go through `serialize_type`.
#[cold]
fn not_serde<T: ?Sized>(serialize_type: SerializeType) -> CodecError {
    if cfg!(feature = "protobuf") && serialize_type == SerializeType::PROTOBUF {
        return CodecError::unsupported::<T>(serialize_type);
    }
    CodecError::Unknown(serialize_type)
}

#[cfg(test)]
mod tests;
