//! The payload of no bytes: a value only for `()`.

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error as _, Visitor, value::Error},
    forward_to_deserialize_any,
};

use super::CodecError;

/// Reads a value from nothing.
///
/// Both sides of a call leave the payload empty where there is nothing to say, but an empty payload
/// is no `MessagePack` or JSON value: for any type but `()` it is an error, with Go's text.
pub(super) fn decode<'de, S: DeserializeSeed<'de>>(seed: S) -> Result<S::Value, CodecError> {
    seed.deserialize(Nothing).map_err(|error| CodecError::decode(&error.to_string()))
}

struct Nothing;

impl<'de> Deserializer<'de> for Nothing {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("EOF"))
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
