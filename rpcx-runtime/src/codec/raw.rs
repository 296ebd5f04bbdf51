//! Serialize type 0: the payload is the value.
//!
//! Only types that serialize as bytes have a form here: [`Bytes`](super::Bytes),
//! `serde_bytes::ByteBuf`, and options and newtypes of such. `()` and `None` are the empty payload.
//! There is no type in the bytes, so an empty payload reads as `None` where an option is asked for.

use std::fmt;

use serde::{
    Deserializer, Serialize, Serializer,
    de::{self, DeserializeSeed, Visitor},
    forward_to_deserialize_any,
    ser::{self, Impossible},
};

use super::CodecError;
use crate::protocol::SerializeType;

pub(super) fn encode<T: Serialize + ?Sized>(
    value: &T,
    out: &mut Vec<u8>,
) -> Result<(), CodecError> {
    value.serialize(RawSerializer(out)).map_err(|error| match error {
        Error::NotBytes => CodecError::unsupported::<T>(SerializeType::RAW),
        Error::Custom(text) => CodecError::Encode(text),
    })
}

pub(super) fn decode<'de, S: DeserializeSeed<'de>>(
    seed: S,
    payload: &'de [u8],
) -> Result<S::Value, CodecError> {
    seed.deserialize(RawDeserializer(payload)).map_err(|error| match error {
        Error::NotBytes => CodecError::unsupported::<S::Value>(SerializeType::RAW),
        Error::Custom(text) => CodecError::decode(&text),
    })
}

#[derive(Debug)]
enum Error {
    /// The type is not bytes.
    NotBytes,
    /// What the type itself said.
    Custom(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBytes => f.write_str("not bytes"),
            Self::Custom(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Error {}

impl ser::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Custom(message.to_string())
    }
}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Custom(message.to_string())
    }
}

struct RawDeserializer<'de>(&'de [u8]);

impl<'de> Deserializer<'de> for RawDeserializer<'de> {
    type Error = Error;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::NotBytes)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_bytes(self.0)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_bytes(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_empty() { visitor.visit_none() } else { visitor.visit_some(self) }
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
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string
        seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct RawSerializer<'a>(&'a mut Vec<u8>);

type Refused = Impossible<(), Error>;

macro_rules! refuse {
    ($($method:ident($type:ty))*) => {
        $(fn $method(self, _: $type) -> Result<(), Error> {
            Err(Error::NotBytes)
        })*
    };
}

impl Serializer for RawSerializer<'_> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Refused;
    type SerializeTuple = Refused;
    type SerializeTupleStruct = Refused;
    type SerializeTupleVariant = Refused;
    type SerializeMap = Refused;
    type SerializeStruct = Refused;
    type SerializeStructVariant = Refused;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), Error> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Error> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Error> {
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    refuse! {
        serialize_bool(bool)
        serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64)
        serialize_i128(i128)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64)
        serialize_u128(u128)
        serialize_f32(f32) serialize_f64(f64) serialize_char(char) serialize_str(&str)
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, _: &T) -> Result<(), Error> {
        Err(Error::NotBytes)
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
    ) -> Result<(), Error> {
        Err(Error::NotBytes)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _value: &T,
    ) -> Result<(), Error> {
        Err(Error::NotBytes)
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Refused, Error> {
        Err(Error::NotBytes)
    }

    fn serialize_tuple(self, _len: usize) -> Result<Refused, Error> {
        Err(Error::NotBytes)
    }

    fn serialize_tuple_struct(self, _name: &'static str, _len: usize) -> Result<Refused, Error> {
        Err(Error::NotBytes)
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _len: usize,
    ) -> Result<Refused, Error> {
        Err(Error::NotBytes)
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Refused, Error> {
        Err(Error::NotBytes)
    }

    fn serialize_struct(self, _name: &'static str, _len: usize) -> Result<Refused, Error> {
        Err(Error::NotBytes)
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _len: usize,
    ) -> Result<Refused, Error> {
        Err(Error::NotBytes)
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize, de::DeserializeOwned};
    use serde_bytes::ByteBuf;

    use crate::{
        Bytes,
        codec::{CodecError, decode, encode},
        protocol::SerializeType,
    };

    fn written<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, CodecError> {
        let mut out = Vec::new();
        encode(SerializeType::RAW, value, &mut out).map(|()| out)
    }

    fn read<T: DeserializeOwned>(payload: &'static [u8]) -> Result<T, CodecError> {
        decode(SerializeType::RAW, &payload.into())
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Newtype(Bytes);

    #[test]
    fn bytes_are_the_payload() {
        assert_eq!(written(&Bytes::from(b"\x00\xff")), Ok(b"\x00\xff".to_vec()));
        assert_eq!(written(&ByteBuf::from("hi")), Ok(b"hi".to_vec()));
        assert_eq!(written(serde_bytes::Bytes::new(b"hi")), Ok(b"hi".to_vec()));
        assert_eq!(written(&Newtype(Bytes::from("hi"))), Ok(b"hi".to_vec()));
        assert_eq!(written(&Some(Bytes::from("hi"))), Ok(b"hi".to_vec()));
        assert_eq!(written(&None::<Bytes>), Ok(vec![]));
        assert_eq!(read(b"\x00\xff"), Ok(Bytes::from(b"\x00\xff")));
        assert_eq!(read(b"hi"), Ok(ByteBuf::from("hi")));
        assert_eq!(read(b"hi"), Ok(Some(Newtype(Bytes::from("hi")))));
        assert_eq!(read(b""), Ok(Bytes::new()));
        assert_eq!(read(b""), Ok(None::<Bytes>));
    }

    #[test]
    fn all_else_is_refused_and_told_what_to_use() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Struct {
            bytes: Bytes,
        }

        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        enum Enum {
            Unit,
            Newtype(Bytes),
        }

        fn refused<T>(value: &T)
        where
            T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
        {
            let error = written(value).unwrap_err();
            assert_eq!(read::<T>(b"hi"), Err(error.clone()));
            let name = std::any::type_name::<T>();
            assert_eq!(
                error.to_string(),
                format!("`{name}` is not bytes: serialize type 0 carries `rpcx::Bytes` only")
            );
        }

        refused(&1_i64);
        refused(&1.5_f32);
        refused(&true);
        refused(&'c');
        refused(&"text".to_owned());
        refused(&vec![1_u8]);
        refused(&[1_u8; 4]);
        refused(&(1, 2));
        refused(&std::collections::HashMap::from([(1, 2)]));
        refused(&Struct { bytes: Bytes::new() });
        refused(&Enum::Unit);
        refused(&Enum::Newtype(Bytes::new()));
        refused(&crate::Time::default());
        refused(&Some("text".to_owned()));
    }
}
