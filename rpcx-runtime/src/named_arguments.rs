//! Several arguments read from a map by parameter name, without a struct of their own.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::codec::{self, CodecError};
use crate::private::bounds::RpcArgument;
use crate::protocol::SerializeType;
use crate::wire::{Parts, Wire};

/// Reads the tuple `T` with the field names at hand.
struct Seed<T> {
    names: &'static [&'static str],
    types: PhantomData<fn() -> T>,
}

/// Finds the place of a field name; unknown fields have none.
struct Key<'a>(&'a [&'static str]);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a parameter")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|known| *known == name))
    }

    fn visit_bytes<E>(self, name: &[u8]) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|known| known.as_bytes() == name))
    }
}

macro_rules! arguments {
    ($arguments:ident, $count:literal, $($T:ident $index:tt $value:ident),+) => {
        /// How several arguments are written and read.
        pub const fn $arguments<$($T: RpcArgument),+>(
            names: &'static [&'static str; $count],
        ) -> Wire<($($T,)+)> {
            let parts = Parts {
                names,
                wires: |place| {
                    if let Some(place) = place.downcast_mut::<Option<($(Wire<$T>,)+)>>() {
                        *place = Some(($(Wire::<$T>::serde(),)+));
                    }
                },
            };
            Wire::named(parts, decode::<($($T,)+)>)
        }

        impl<'de, $($T: Deserialize<'de>),+> DeserializeSeed<'de> for Seed<($($T,)+)> {
            type Value = ($($T,)+);

            fn deserialize<D: Deserializer<'de>>(
                self,
                deserializer: D,
            ) -> Result<Self::Value, D::Error> {
                deserializer.deserialize_map(self)
            }
        }

        impl<'de, $($T: Deserialize<'de>),+> Visitor<'de> for Seed<($($T,)+)> {
            type Value = ($($T,)+);

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a map of the parameters {:?}", self.names)
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                $(let mut $value: Option<$T> = None;)+
                while let Some(place) = map.next_key_seed(Key(self.names))? {
                    match place {
                        $(Some($index) => $value = Some(map.next_value()?),)+
                        _ => { map.next_value::<IgnoredAny>()?; }
                    }
                }
                Ok(($($value.map_or_else(|| missing(self.names[$index]), Ok)?,)+))
            }
        }

        impl<$($T: DeserializeOwned),+> Decode for ($($T,)+) {
            fn decode(
                serialize_type: SerializeType,
                names: &'static [&'static str],
                payload: &bytes::Bytes,
            ) -> Result<Self, CodecError> {
                codec::decode_seed(serialize_type, Seed::<Self> { names, types: PhantomData }, payload)
            }
        }
    };
}

trait Decode: Sized {
    fn decode(
        serialize_type: SerializeType,
        names: &'static [&'static str],
        payload: &bytes::Bytes,
    ) -> Result<Self, CodecError>;
}

fn decode<T: Decode>(
    serialize_type: SerializeType,
    names: &'static [&'static str],
    payload: &bytes::Bytes,
) -> Result<T, CodecError> {
    T::decode(serialize_type, names, payload)
}

/// What a missing field means: `None` for an `Option`, an error for anything else.
fn missing<'de, T: Deserialize<'de>, E: serde::de::Error>(name: &'static str) -> Result<T, E> {
    struct Missing<E>(&'static str, PhantomData<E>);

    impl<'de, E: serde::de::Error> Deserializer<'de> for Missing<E> {
        type Error = E;

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, E> {
            Err(E::missing_field(self.0))
        }

        fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
            visitor.visit_none()
        }

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
            unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
            ignored_any
        }
    }

    T::deserialize(Missing(name, PhantomData))
}

arguments!(arguments2, 2, T1 0 a, T2 1 b);
arguments!(arguments3, 3, T1 0 a, T2 1 b, T3 2 c);
arguments!(arguments4, 4, T1 0 a, T2 1 b, T3 2 c, T4 3 d);
arguments!(arguments5, 5, T1 0 a, T2 1 b, T3 2 c, T4 3 d, T5 4 e);
arguments!(arguments6, 6, T1 0 a, T2 1 b, T3 2 c, T4 3 d, T5 4 e, T6 5 f);
arguments!(arguments7, 7, T1 0 a, T2 1 b, T3 2 c, T4 3 d, T5 4 e, T6 5 f, T7 6 g);
arguments!(arguments8, 8, T1 0 a, T2 1 b, T3 2 c, T4 3 d, T5 4 e, T6 5 f, T7 6 g, T8 7 h);
arguments!(arguments9, 9, T1 0 a, T2 1 b, T3 2 c, T4 3 d, T5 4 e, T6 5 f, T7 6 g, T8 7 h, T9 8 i);
arguments!(arguments10, 10, T1 0 a, T2 1 b, T3 2 c, T4 3 d, T5 4 e, T6 5 f, T7 6 g, T8 7 h, T9 8 i, T10 9 j);
arguments!(arguments11, 11, T1 0 a, T2 1 b, T3 2 c, T4 3 d, T5 4 e, T6 5 f, T7 6 g, T8 7 h, T9 8 i, T10 9 j, T11 10 k);
arguments!(arguments12, 12, T1 0 a, T2 1 b, T3 2 c, T4 3 d, T5 4 e, T6 5 f, T7 6 g, T8 7 h, T9 8 i, T10 9 j, T11 10 k, T12 11 l);
