//! Serialize type 1: JSON.

use serde::{Serialize, de::DeserializeSeed};
use serde_json::{Deserializer, Serializer};

use super::{CodecError, nil::GoCompat};

pub(super) fn encode<T: Serialize + ?Sized>(
    value: &T,
    out: &mut Vec<u8>,
) -> Result<(), CodecError> {
    let mut serializer = Serializer::new(out);
    value.serialize(&mut serializer).map_err(|error| CodecError::Encode(error.to_string()))
}

pub(super) fn decode<'de, S: DeserializeSeed<'de>>(
    seed: S,
    payload: &'de [u8],
) -> Result<S::Value, CodecError> {
    // serde_json's own depth limit is 128; what follows the value is left unread, as Go does.
    let mut deserializer = Deserializer::from_slice(payload);
    seed.deserialize(GoCompat::new(&mut deserializer))
        .map_err(|error| CodecError::decode(&error.to_string()))
}
