//! How the values of a type are written and read, chosen once where the type is declared.

use std::any::Any;
use std::fmt;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::{self, CodecError};
use crate::error::{Error, ServiceError};
use crate::protocol::SerializeType;

/// How the values of a type are written and read in each codec that the type has a form in.
///
/// It is a handful of function pointers: code that carries one needs no bounds on the type.
pub struct Wire<T> {
    serde: Option<Form<T>>,
    message: Option<Form<T>>,
    parts: Option<Parts>,
}

/// One family of codecs: those over serde, or protobuf.
struct Form<T> {
    encode: fn(&T, SerializeType, &mut Vec<u8>) -> Result<(), CodecError>,
    decode: fn(SerializeType, &'static [&'static str], &Bytes) -> Result<T, CodecError>,
    /// The value's own bytes, if it is a [`crate::Bytes`]: they need no copy.
    bytes: fn(&T) -> Option<Bytes>,
}

/// What several arguments need beside the tuple of their types.
#[derive(Clone, Copy)]
pub(crate) struct Parts {
    /// Field names, in the order of the parameters.
    pub(crate) names: &'static [&'static str],
    /// Fills an `Option<(Wire<A>, Wire<B>, …)>`.
    pub(crate) wires: fn(&mut dyn Any),
}

impl<T> Wire<T> {
    pub(crate) const fn serde() -> Self
    where
        T: Serialize + DeserializeOwned + 'static,
    {
        let form = Form {
            encode: |value, serialize_type, out| codec::encode(serialize_type, value, out),
            decode: |serialize_type, _, payload| codec::decode(serialize_type, payload),
            bytes: own_bytes,
        };
        Self { serde: Some(form), message: None, parts: None }
    }

    /// For values that are only read.
    pub(crate) const fn reading() -> Self
    where
        T: DeserializeOwned + 'static,
    {
        let form = Form {
            encode: |_, serialize_type, _| Err(CodecError::Unknown(serialize_type)),
            decode: |serialize_type, _, payload| codec::decode(serialize_type, payload),
            bytes: |_| None,
        };
        Self { serde: Some(form), message: None, parts: None }
    }

    #[cfg(feature = "protobuf")]
    pub(crate) const fn message() -> Self
    where
        T: prost::Message + Default + 'static,
    {
        let form = Form {
            encode: |value, _, out| codec::encode_message(value, out),
            decode: |_, _, payload| codec::decode_message(payload),
            bytes: |_| None,
        };
        Self { serde: None, message: Some(form), parts: None }
    }

    /// Adds what `other` has and this one has not.
    #[must_use]
    #[cfg_attr(not(feature = "protobuf"), expect(dead_code, reason = "only protobuf adds"))]
    pub(crate) const fn or(mut self, other: Self) -> Self {
        if self.serde.is_none() {
            self.serde = other.serde;
        }
        if self.message.is_none() {
            self.message = other.message;
        }
        self
    }

    /// Several arguments: a map by field name, which only serde codecs have.
    pub(crate) const fn named(
        parts: Parts,
        decode: fn(SerializeType, &'static [&'static str], &Bytes) -> Result<T, CodecError>,
    ) -> Self {
        // Clients write the passed values one by one, see `Named`: nobody encodes the tuple.
        let form = Form {
            encode: |_, serialize_type, _| Err(CodecError::Unknown(serialize_type)),
            decode,
            bytes: |_| None,
        };
        Self { serde: Some(form), message: None, parts: Some(parts) }
    }

    /// Nothing more is known of the type: see [`Asked`](crate::private::asked::Asked).
    #[doc(hidden)]
    #[must_use]
    pub const fn complete(&self) -> Self {
        *self
    }

    pub(crate) const fn parts(&self) -> Option<Parts> {
        self.parts
    }

    /// Appends `value` to `out`; on an error `out` is as it was.
    pub(crate) fn encode(
        &self,
        value: &T,
        serialize_type: SerializeType,
        out: &mut Vec<u8>,
    ) -> Result<(), CodecError> {
        (self.form(serialize_type)?.encode)(value, serialize_type, out)
    }

    /// Reads a value that takes all of `payload`.
    pub(crate) fn decode(
        &self,
        serialize_type: SerializeType,
        payload: &Bytes,
    ) -> Result<T, CodecError> {
        let names = self.parts.map_or(&[][..], |parts| parts.names);
        (self.form(serialize_type)?.decode)(serialize_type, names, payload)
    }

    /// Gives the payload itself where encoding would only copy it.
    pub(crate) fn bytes(&self, value: &T, serialize_type: SerializeType) -> Option<Bytes> {
        if serialize_type == SerializeType::RAW { (self.serde?.bytes)(value) } else { None }
    }

    fn form(&self, serialize_type: SerializeType) -> Result<Form<T>, CodecError> {
        let family = match serialize_type {
            SerializeType::PROTOBUF => self.message,
            _ => self.serde,
        };
        family.ok_or(CodecError::Unknown(serialize_type))
    }
}

fn own_bytes<T: 'static>(value: &T) -> Option<Bytes> {
    let value: &dyn Any = value;
    value.downcast_ref::<crate::Bytes>().map(|bytes| bytes.clone().into_inner())
}

impl Wire<()> {
    /// The arguments of a method without parameters, in every codec that is there.
    pub(crate) const fn nothing() -> Self {
        let wire = Self::serde();
        #[cfg(feature = "protobuf")]
        let wire = wire.or(Self::message());
        wire
    }
}

impl<T> Clone for Wire<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Wire<T> {}

impl<T> Clone for Form<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Form<T> {}

impl<T> fmt::Debug for Wire<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire")
            .field("serde", &self.serde.is_some())
            .field("protobuf", &self.message.is_some())
            .finish_non_exhaustive()
    }
}

/// How the errors of a type cross the wire, chosen once where the type is declared.
pub struct ErrorWire<E> {
    to_wire: fn(&E) -> String,
    from_wire: fn(Error) -> E,
}

impl<E> ErrorWire<E> {
    pub(crate) const fn new() -> Self
    where
        E: ServiceError,
    {
        Self { to_wire: E::to_wire, from_wire: E::from_wire }
    }

    /// Gives the text that is sent.
    pub fn to_wire(self, error: &E) -> String {
        (self.to_wire)(error)
    }

    /// Makes the error that a caller gets.
    pub fn read(self, error: Error) -> E {
        (self.from_wire)(error)
    }
}

impl<E> Clone for ErrorWire<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for ErrorWire<E> {}

impl<E> fmt::Debug for ErrorWire<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErrorWire").finish_non_exhaustive()
    }
}
