//! What a client passes to a method, and how it is written.

use std::any::Any;
use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;

use crate::codec::{self, CodecError};
use crate::protocol::SerializeType;
use crate::wire::{Parts, Wire};

/// A value that a client may pass where a method takes `T`.
///
/// That is `T` and `&T`, `Box<T>`, `Arc<T>` and `Cow<T>`; `&str` for `String`; `&[T]` and `&[T; N]`
/// for `Vec<T>`. Since several types fit, `into()`, `parse()?` and `Default::default()` leave the
/// type open: name it, as in `client.mul(Args::default())`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be passed where the RPC method takes `{T}`",
    label = "expected `{T}` or `&{T}`",
    note = "an argument is passed by value or by reference; name its type where it is converted"
)]
pub trait ToArg<T> {
    #[doc(hidden)]
    fn encode(
        &self,
        wire: Wire<T>,
        serialize_type: SerializeType,
        out: &mut Vec<u8>,
    ) -> Result<(), CodecError>;

    #[doc(hidden)]
    fn bytes(&self, _wire: Wire<T>, _serialize_type: SerializeType) -> Option<Bytes> {
        None
    }
}

macro_rules! to_arg_by_reference {
    ($($passed:ty),+) => {$(
        #[diagnostic::do_not_recommend]
        impl<T> ToArg<T> for $passed {
            fn encode(
                &self,
                wire: Wire<T>,
                serialize_type: SerializeType,
                out: &mut Vec<u8>,
            ) -> Result<(), CodecError> {
                wire.encode(self, serialize_type, out)
            }

            fn bytes(&self, wire: Wire<T>, serialize_type: SerializeType) -> Option<Bytes> {
                wire.bytes(self, serialize_type)
            }
        }
    )+};
}

to_arg_by_reference!(T, &T, Box<T>, Arc<T>);

#[diagnostic::do_not_recommend]
impl<T: Clone> ToArg<T> for Cow<'_, T> {
    fn encode(
        &self,
        wire: Wire<T>,
        serialize_type: SerializeType,
        out: &mut Vec<u8>,
    ) -> Result<(), CodecError> {
        wire.encode(self, serialize_type, out)
    }
}

macro_rules! to_arg_by_equal_form {
    ($([$($generics:tt)*] $passed:ty => $declared:ty),+ $(,)?) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($generics)*> ToArg<$declared> for $passed {
            fn encode(
                &self,
                _: Wire<$declared>,
                serialize_type: SerializeType,
                out: &mut Vec<u8>,
            ) -> Result<(), CodecError> {
                codec::encode(serialize_type, *self, out)
            }
        }
    )+};
}

// `str` is written as `String` is, a slice as a `Vec`.
to_arg_by_equal_form!([] &str => String, [T: Serialize + 'static] &[T] => Vec<T>);

#[diagnostic::do_not_recommend]
impl<T: Serialize + 'static, const N: usize> ToArg<Vec<T>> for &[T; N] {
    fn encode(
        &self,
        wire: Wire<Vec<T>>,
        serialize_type: SerializeType,
        out: &mut Vec<u8>,
    ) -> Result<(), CodecError> {
        self.as_slice().encode(wire, serialize_type, out)
    }
}

/// All that a client passes to a method: zero, one or several values.
pub trait Arguments {
    #[doc(hidden)]
    fn encode(&self, serialize_type: SerializeType, out: &mut Vec<u8>) -> Result<(), CodecError>;

    /// The payload itself, where encoding would only copy it.
    #[doc(hidden)]
    fn bytes(&self, _serialize_type: SerializeType) -> Option<Bytes> {
        None
    }

    /// Appends one of several values, counted from 0, as it stands in the payload; a single value is
    /// the payload. Calls are spread by these bytes.
    #[doc(hidden)]
    fn encode_part(
        &self,
        _index: usize,
        serialize_type: SerializeType,
        out: &mut Vec<u8>,
    ) -> Result<(), CodecError> {
        self.encode(serialize_type, out)
    }
}

/// The arguments of a method without parameters: an empty struct.
#[derive(Clone, Copy, Debug)]
pub struct NoArguments;

impl Arguments for NoArguments {
    fn encode(&self, serialize_type: SerializeType, out: &mut Vec<u8>) -> Result<(), CodecError> {
        match serialize_type {
            // Go reads these into any struct.
            SerializeType::MSGPACK => out.push(0x80),
            SerializeType::JSON => out.extend_from_slice(b"{}"),
            _ => {}
        }
        Ok(())
    }
}

/// What writes a passed `X` as a declared `T`.
type Encode<X, T> = fn(&X, Wire<T>, SerializeType, &mut Vec<u8>) -> Result<(), CodecError>;

/// What writes one of several passed values.
type EncodePart<X, T> =
    fn(&X, Wire<T>, usize, SerializeType, &mut Vec<u8>) -> Result<(), CodecError>;

/// The argument of a method with one parameter.
///
/// What is asked of the passed value is asked by [`new`](Self::new) alone, so that a wrong one is
/// one error, not another at each use of the call.
#[derive(Debug)]
pub struct One<X, T> {
    value: X,
    wire: Wire<T>,
    encode: Encode<X, T>,
    bytes: fn(&X, Wire<T>, SerializeType) -> Option<Bytes>,
}

impl<X: ToArg<T>, T> One<X, T> {
    /// Takes the passed value.
    pub const fn new(value: X, wire: Wire<T>) -> Self {
        Self { value, wire, encode: X::encode, bytes: X::bytes }
    }
}

impl<X, T> Arguments for One<X, T> {
    fn encode(&self, serialize_type: SerializeType, out: &mut Vec<u8>) -> Result<(), CodecError> {
        (self.encode)(&self.value, self.wire, serialize_type, out)
    }

    fn bytes(&self, serialize_type: SerializeType) -> Option<Bytes> {
        (self.bytes)(&self.value, self.wire, serialize_type)
    }
}

/// The arguments of a method with several parameters: a map by parameter name.
#[derive(Debug)]
pub struct Named<X, T> {
    values: X,
    wire: Wire<T>,
    encode: Encode<X, T>,
    encode_part: EncodePart<X, T>,
}

impl<X, T> Arguments for Named<X, T> {
    fn encode(&self, serialize_type: SerializeType, out: &mut Vec<u8>) -> Result<(), CodecError> {
        (self.encode)(&self.values, self.wire, serialize_type, out)
    }

    fn encode_part(
        &self,
        index: usize,
        serialize_type: SerializeType,
        out: &mut Vec<u8>,
    ) -> Result<(), CodecError> {
        (self.encode_part)(&self.values, self.wire, index, serialize_type, out)
    }
}

/// Several passed values that fit the declared types `T`.
trait ToArgs<T>: Sized {
    fn encode(
        &self,
        wire: Wire<T>,
        serialize_type: SerializeType,
        out: &mut Vec<u8>,
    ) -> Result<(), CodecError>;

    fn encode_part(
        &self,
        wire: Wire<T>,
        index: usize,
        serialize_type: SerializeType,
        out: &mut Vec<u8>,
    ) -> Result<(), CodecError>;
}

/// How each of several values is written: fills an `Option<(Wire<A>, Wire<B>, …)>`.
fn wires<T, W: 'static>(
    wire: Wire<T>,
    serialize_type: SerializeType,
) -> Result<(&'static [&'static str], W), CodecError> {
    let unknown = CodecError::Unknown(serialize_type);
    let Some(Parts { names, wires }) = wire.parts() else { return Err(unknown) };
    let mut parts: Option<W> = None;
    wires(&mut parts as &mut dyn Any);
    parts.map(|parts| (names, parts)).ok_or(unknown)
}

macro_rules! named {
    ($named:ident, $count:literal, $($X:ident $T:ident $index:tt),+) => {
        /// Takes the passed values.
        pub const fn $named<$($X: ToArg<$T>, $T: 'static),+>(
            values: ($($X,)+),
            wire: Wire<($($T,)+)>,
        ) -> Named<($($X,)+), ($($T,)+)> {
            Named {
                values,
                wire,
                encode: <($($X,)+) as ToArgs<($($T,)+)>>::encode,
                encode_part: <($($X,)+) as ToArgs<($($T,)+)>>::encode_part,
            }
        }

        impl<$($X: ToArg<$T>, $T: 'static),+> ToArgs<($($T,)+)> for ($($X,)+) {
            fn encode(
                &self,
                wire: Wire<($($T,)+)>,
                serialize_type: SerializeType,
                out: &mut Vec<u8>,
            ) -> Result<(), CodecError> {
                let (names, parts): (_, ($(Wire<$T>,)+)) = wires(wire, serialize_type)?;
                let mut map = codec::MapWriter::begin(serialize_type, $count, out)?;
                $(map.entry(names[$index], |out| {
                    self.$index.encode(parts.$index, serialize_type, out)
                })?;)+
                map.end();
                Ok(())
            }

            fn encode_part(
                &self,
                wire: Wire<($($T,)+)>,
                index: usize,
                serialize_type: SerializeType,
                out: &mut Vec<u8>,
            ) -> Result<(), CodecError> {
                let (_, parts): (_, ($(Wire<$T>,)+)) = wires(wire, serialize_type)?;
                match index {
                    $($index => self.$index.encode(parts.$index, serialize_type, out),)+
                    // Generated code names no other; the whole is as good a key.
                    _ => ToArgs::encode(self, wire, serialize_type, out),
                }
            }
        }
    };
}

named!(named2, 2, X1 T1 0, X2 T2 1);
named!(named3, 3, X1 T1 0, X2 T2 1, X3 T3 2);
named!(named4, 4, X1 T1 0, X2 T2 1, X3 T3 2, X4 T4 3);
named!(named5, 5, X1 T1 0, X2 T2 1, X3 T3 2, X4 T4 3, X5 T5 4);
named!(named6, 6, X1 T1 0, X2 T2 1, X3 T3 2, X4 T4 3, X5 T5 4, X6 T6 5);
named!(named7, 7, X1 T1 0, X2 T2 1, X3 T3 2, X4 T4 3, X5 T5 4, X6 T6 5, X7 T7 6);
named!(named8, 8, X1 T1 0, X2 T2 1, X3 T3 2, X4 T4 3, X5 T5 4, X6 T6 5, X7 T7 6, X8 T8 7);
named!(named9, 9, X1 T1 0, X2 T2 1, X3 T3 2, X4 T4 3, X5 T5 4, X6 T6 5, X7 T7 6, X8 T8 7, X9 T9 8);
named!(named10, 10, X1 T1 0, X2 T2 1, X3 T3 2, X4 T4 3, X5 T5 4, X6 T6 5, X7 T7 6, X8 T8 7, X9 T9 8, X10 T10 9);
named!(named11, 11, X1 T1 0, X2 T2 1, X3 T3 2, X4 T4 3, X5 T5 4, X6 T6 5, X7 T7 6, X8 T8 7, X9 T9 8, X10 T10 9, X11 T11 10);
named!(named12, 12, X1 T1 0, X2 T2 1, X3 T3 2, X4 T4 3, X5 T5 4, X6 T6 5, X7 T7 6, X8 T8 7, X9 T9 8, X10 T10 9, X11 T11 10, X12 T12 11);

#[cfg(test)]
mod tests {
    use super::{Arguments, NoArguments, One, named3};
    use crate::codec::{self, CodecError};
    use crate::named_arguments::arguments3;
    use crate::private::bounds::argument;
    use crate::protocol::SerializeType;

    const NAMES: &[&str; 3] = &["user", "roles", "limit"];

    fn three() -> impl Arguments {
        let wire = arguments3::<String, Vec<u8>, u32>(NAMES);
        named3(("ada", &[1_u8, 2], 300_u32), wire)
    }

    fn part(
        arguments: &dyn Arguments,
        index: usize,
        serialize_type: SerializeType,
    ) -> Result<Vec<u8>, CodecError> {
        let mut out = vec![b'>'];
        arguments.encode_part(index, serialize_type, &mut out)?;
        Ok(out)
    }

    #[test]
    fn one_of_several_is_written_as_in_the_payload() {
        let msgpack = [0, 1, 2].map(|index| part(&three(), index, SerializeType::MSGPACK).unwrap());
        assert_eq!(msgpack, [&b">\xa3ada"[..], b">\x92\x01\x02", b">\xcd\x01\x2c"]);
    }

    #[cfg(feature = "json")]
    #[test]
    fn one_of_several_is_written_in_the_codec_of_the_call() {
        let json = [0, 1, 2].map(|index| part(&three(), index, SerializeType::JSON).unwrap());
        assert_eq!(json, [&b">\"ada\""[..], b">[1,2]", b">300"]);
    }

    #[test]
    fn parts_are_in_the_payload_behind_their_names() {
        let arguments = three();
        let mut payload = Vec::new();
        arguments.encode(SerializeType::MSGPACK, &mut payload).unwrap();
        let mut parts = vec![0x83];
        for (index, name) in NAMES.iter().enumerate() {
            codec::encode(SerializeType::MSGPACK, name, &mut parts).unwrap();
            arguments.encode_part(index, SerializeType::MSGPACK, &mut parts).unwrap();
        }
        assert_eq!(payload, parts);
    }

    #[test]
    fn a_single_value_is_the_payload_and_no_value_is_an_empty_map() {
        let one = One::new("ada", argument::<String>().complete());
        assert_eq!(part(&one, 0, SerializeType::MSGPACK).unwrap(), b">\xa3ada");
        assert_eq!(part(&NoArguments, 0, SerializeType::MSGPACK).unwrap(), b">\x80");
    }

    #[test]
    fn a_codec_without_names_has_no_parts() {
        let error = part(&three(), 0, SerializeType::PROTOBUF).unwrap_err();
        let unknown = matches!(error, CodecError::Unknown(SerializeType::PROTOBUF));
        // With protobuf built in, a text is what has no form in it.
        let unsupported = matches!(error, CodecError::Unsupported { .. });
        assert!(unknown || unsupported, "{error:?}");
    }

    #[test]
    fn arguments_of_any_types_are_one_type_behind_a_pointer() {
        let all: [Box<dyn Arguments>; 3] = [
            Box::new(three()),
            Box::new(NoArguments),
            Box::new(One::new(7, argument::<i32>().complete())),
        ];
        let lengths = all.map(|arguments| {
            let mut out = Vec::new();
            arguments.as_ref().encode(SerializeType::MSGPACK, &mut out).map(|()| out.len())
        });
        assert_eq!(lengths.map(Result::ok), [Some(28), Some(1), Some(1)]);
    }
}
