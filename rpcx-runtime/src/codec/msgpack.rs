//! Serialize type 3: `MessagePack`, the default of Go rpcx.
//!
//! Structs are written as maps by field name, because Go matches fields by name.

use rmp_serde::{Deserializer, Serializer, decode::Error};
use serde::{Serialize, de::DeserializeSeed};

use super::{CodecError, MAX_DEPTH, nil::GoCompat};

pub(super) fn encode<T: Serialize + ?Sized>(
    value: &T,
    out: &mut Vec<u8>,
) -> Result<(), CodecError> {
    let mut serializer = Serializer::new(out).with_struct_map();
    value.serialize(&mut serializer).map_err(|error| CodecError::Encode(error.to_string()))
}

pub(super) fn decode<'de, S: DeserializeSeed<'de>>(
    seed: S,
    payload: &'de [u8],
) -> Result<S::Value, CodecError> {
    let mut deserializer = Deserializer::from_read_ref(payload);
    deserializer.set_max_depth(MAX_DEPTH.into());
    seed.deserialize(GoCompat::new(&mut deserializer)).map_err(decode_error)
}

#[cold]
fn decode_error(error: Error) -> CodecError {
    CodecError::Decode(match error {
        Error::TypeMismatch(marker) => {
            // The marker of a small value holds the value: `FixPos(7)`, `True`.
            let marker = format!("{marker:?}");
            let kind = match marker.split_once('(') {
                Some((kind, _)) => kind,
                None if marker == "True" || marker == "False" => "Bool",
                None => &marker,
            };
            format!("wrong msgpack marker {kind}")
        }
        // Go's text.
        Error::InvalidMarkerRead(_) | Error::InvalidDataRead(_) => "unexpected EOF".to_owned(),
        error => return CodecError::decode(&error.to_string()),
    })
}
