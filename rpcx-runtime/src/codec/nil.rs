//! Go's nil, read as the empty value.
//!
//! Go writes nil (JSON `null`) for every slice, map and `[]byte` that was never set, and plain
//! `Vec`, `HashMap` and the like refuse it. `GoCompat` wraps a format's deserializer so that they
//! need no attribute: where a type asks for a sequence, a map or bytes and the payload has nil, the
//! type sees an empty one. `Option` still sees `None`, and all else passes through untouched:
//! borrowed text and bytes stay borrowed.
//!
//! It also counts depth, because rmp-serde does not count the map around an enum variant, and loses
//! count when a type goes on after an error.
//!
//! What serde buffers before the type sees it (fields of a `#[serde(flatten)]` struct, untagged and
//! internally tagged enums) is out of reach; [`nil_as_default`] is for these.

mod access;
mod visitor;

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, Visitor},
};

use self::visitor::{AsBuffer, AsBytes, AsMap, AsSeq, CompatVisitor, Kind, Unchanged};
use super::MAX_DEPTH;

/// Reads a value, or the type's default from nil.
///
/// Slices, maps and bytes need no such help unless serde buffers them: use it on the fields of
/// structs behind `#[serde(flatten)]`, in untagged and internally tagged enums, and for scalars
/// whose Go side is a pointer that may be nil.
///
/// ```
/// use rpcx::{codec, protocol::SerializeType};
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Outer {
///     #[serde(flatten)]
///     inner: Inner,
/// }
///
/// #[derive(Deserialize)]
/// struct Inner {
///     #[serde(default, deserialize_with = "rpcx::nil_as_default")]
///     list: Vec<i64>,
/// }
///
/// let outer: Outer = codec::decode(SerializeType::MSGPACK, &b"\x81\xa4list\xc0"[..].into())?;
/// assert!(outer.inner.list.is_empty());
/// # Ok::<(), codec::CodecError>(())
/// ```
///
/// # Errors
///
/// Those of `T`.
pub fn nil_as_default<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Default + Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A deserializer whose nil is also an empty sequence, map or byte string.
pub(super) struct GoCompat<D> {
    inner: D,
    /// Levels left, this one included.
    depth: u8,
}

impl<D> GoCompat<D> {
    #[inline]
    pub(super) const fn new(inner: D) -> Self {
        Self { inner, depth: MAX_DEPTH }
    }
}

impl<'de, D: Deserializer<'de>> GoCompat<D> {
    #[inline]
    fn nil_is_empty<K: Kind, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_option(CompatVisitor::<V, K>::new(visitor, self.depth))
    }
}

/// One level down.
#[inline]
fn deeper<E: Error>(depth: u8) -> Result<u8, E> {
    // As rmp-serde and serde_json count: the last level is one short of the limit.
    match depth.checked_sub(1) {
        None | Some(0) => Err(E::custom("depth limit exceeded")),
        Some(left) => Ok(left),
    }
}

/// Scalars hold nothing that could be nil: no wrapping.
macro_rules! pass {
    ($($method:ident)*) => {
        $(#[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.inner.$method(visitor)
        })*
    };
}

macro_rules! wrap {
    ($($method:ident($($argument:ident: $type:ty),*))*) => {
        $(#[inline]
        fn $method<V: Visitor<'de>>(
            self,
            $($argument: $type,)*
            visitor: V,
        ) -> Result<V::Value, D::Error> {
            let visitor = CompatVisitor::<V, Unchanged>::new(visitor, self.depth);
            self.inner.$method($($argument,)* visitor)
        })*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for GoCompat<D> {
    type Error = D::Error;

    #[inline]
    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }

    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.nil_is_empty::<AsSeq, V>(visitor)
    }

    #[inline]
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.nil_is_empty::<AsMap, V>(visitor)
    }

    #[inline]
    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.nil_is_empty::<AsBytes, V>(visitor)
    }

    #[inline]
    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.nil_is_empty::<AsBuffer, V>(visitor)
    }

    /// Go writes its empty struct as an empty map, so `()` takes any value.
    #[inline]
    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.deserialize_ignored_any(IgnoredAny)?;
        visitor.visit_unit()
    }

    #[inline]
    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.deserialize_unit(visitor)
    }

    pass! {
        deserialize_bool
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
        deserialize_char deserialize_str deserialize_string deserialize_identifier
    }

    wrap! {
        deserialize_any()
        deserialize_ignored_any()
        deserialize_option()
        deserialize_newtype_struct(name: &'static str)
        deserialize_tuple(len: usize)
        deserialize_tuple_struct(name: &'static str, len: usize)
        deserialize_struct(name: &'static str, fields: &'static [&'static str])
        deserialize_enum(name: &'static str, variants: &'static [&'static str])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

    use serde::{Deserialize, Serialize, de::DeserializeOwned};

    use crate::{
        codec::{CodecError, decode, encode},
        protocol::SerializeType,
    };

    /// What `T` reads from nil at the top, in an option, in a list, as a map's value and in a field,
    /// in each codec.
    fn from_nil<T: DeserializeOwned>() -> Vec<Result<T, CodecError>> {
        #[derive(Deserialize)]
        struct Field<T> {
            field: T,
        }

        fn read<T: DeserializeOwned>(
            payload: (&'static [u8], &'static str),
        ) -> Vec<Result<T, CodecError>> {
            let mut read = vec![decode(SerializeType::MSGPACK, &payload.0.into())];
            if cfg!(feature = "json") {
                read.push(decode(SerializeType::JSON, &payload.1.into()));
            }
            read
        }

        let mut all = read(((b"\xc0"), "null"));
        let lists = read::<[T; 1]>((b"\x91\xc0", "[null]"));
        all.extend(lists.into_iter().map(|list| list.map(|[value]| value)));
        let maps = read::<BTreeMap<String, T>>((b"\x81\xa1a\xc0", r#"{"a":null}"#));
        all.extend(maps.into_iter().map(|map| map.map(|mut map| map.remove("a").unwrap())));
        let fields = read::<Field<T>>((b"\x81\xa5field\xc0", r#"{"field":null}"#));
        all.extend(fields.into_iter().map(|field| field.map(|field| field.field)));
        all
    }

    fn nil_is<T: DeserializeOwned + PartialEq + std::fmt::Debug>(expected: &T) {
        for value in from_nil::<T>() {
            assert_eq!(value.as_ref(), Ok(expected));
        }
    }

    #[test]
    fn nil_is_an_empty_sequence_map_or_byte_string() {
        nil_is(&Vec::<i64>::new());
        nil_is(&Vec::<Vec<String>>::new());
        nil_is(&VecDeque::<i64>::new());
        nil_is(&BTreeSet::<String>::new());
        nil_is(&Box::<[u8]>::default());
        nil_is(&HashMap::<String, i64>::new());
        nil_is(&BTreeMap::<i64, Vec<String>>::new());
        nil_is(&serde_bytes::ByteBuf::new());
        nil_is(&crate::Bytes::new());
    }

    #[test]
    fn nil_is_none_in_an_option() {
        nil_is(&None::<Vec<i64>>);
        nil_is(&None::<HashMap<String, i64>>);
        nil_is(&None::<crate::Bytes>);
        nil_is(&None::<i64>);
        nil_is(&None::<Option<String>>);
    }

    #[test]
    fn nil_is_unit_null_and_gos_zero_time() {
        nil_is(&());
        nil_is(&serde_json::Value::Null);
        nil_is(&crate::Time::GO_ZERO);
    }

    #[test]
    fn nil_is_no_scalar_text_or_struct() {
        #[derive(Debug, Deserialize)]
        struct Struct {}

        fn refused<T: DeserializeOwned + std::fmt::Debug>() {
            assert!(from_nil::<T>().iter().all(Result::is_err), "{:?}", from_nil::<T>());
        }

        refused::<i64>();
        refused::<bool>();
        refused::<f32>();
        refused::<String>();
        refused::<Struct>();
        refused::<(i64, i64)>();
        refused::<[u8; 3]>();
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Choice {
        Newtype(Vec<i64>),
        Tuple(Vec<i64>, HashMap<String, i64>),
        Struct { list: Vec<i64> },
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Newtype(Vec<i64>);

    #[test]
    fn nil_is_empty_inside_everything() {
        fn msgpack<T: DeserializeOwned>(payload: &'static [u8]) -> T {
            decode(SerializeType::MSGPACK, &payload.into()).unwrap()
        }

        assert_eq!(msgpack::<Newtype>(b"\xc0"), Newtype(vec![]));
        assert_eq!(msgpack::<Option<Newtype>>(b"\xc0"), None);
        assert_eq!(msgpack::<Vec<Vec<i64>>>(b"\x92\xc0\x91\x01"), [vec![], vec![1]]);
        assert_eq!(msgpack::<Option<Vec<Vec<i64>>>>(b"\x91\xc0"), Some(vec![vec![]]));
        assert_eq!(msgpack::<(Vec<i64>, i64)>(b"\x92\xc0\x01"), (vec![], 1));
        assert_eq!(msgpack::<Choice>(b"\x81\xa7Newtype\xc0"), Choice::Newtype(vec![]));
        assert_eq!(
            msgpack::<Choice>(b"\x81\xa5Tuple\x92\xc0\xc0"),
            Choice::Tuple(vec![], HashMap::new())
        );
        assert_eq!(
            msgpack::<Choice>(b"\x81\xa6Struct\x81\xa4list\xc0"),
            Choice::Struct { list: vec![] }
        );
    }

    #[cfg(feature = "json")]
    #[test]
    fn null_is_empty_inside_everything() {
        fn json<T: DeserializeOwned>(payload: &'static str) -> T {
            decode(SerializeType::JSON, &payload.into()).unwrap()
        }

        assert_eq!(json::<Newtype>("null"), Newtype(vec![]));
        assert_eq!(json::<Vec<Vec<i64>>>("[null, [1]]"), [vec![], vec![1]]);
        assert_eq!(json::<Choice>(r#"{"Newtype":null}"#), Choice::Newtype(vec![]));
        assert_eq!(json::<Choice>(r#"{"Struct":{"list": null}}"#), Choice::Struct { list: vec![] });
        assert_eq!(json::<HashMap<i64, Vec<i64>>>(r#"{"7":null}"#), HashMap::from([(7, vec![])]));
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Flattened {
        name: String,
        #[serde(flatten)]
        inner: Inner,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Inner {
        #[serde(default, deserialize_with = "rpcx::nil_as_default")]
        list: Vec<i64>,
        #[serde(default, deserialize_with = "rpcx::nil_as_default")]
        number: i64,
        bytes: crate::Bytes,
        time: crate::Time,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Untagged {
        Inner(Inner),
        Number(i64),
    }

    #[test]
    fn the_helper_reaches_what_serde_buffers() {
        let payload = b"\x85\xa4name\xa1n\xa4list\xc0\xa6number\xc0\xa5bytes\xc0\xa4time\xc0";
        let inner = Inner {
            list: vec![],
            number: 0,
            bytes: crate::Bytes::new(),
            time: crate::Time::GO_ZERO,
        };
        let untagged: Untagged = decode(SerializeType::MSGPACK, &payload[..].into()).unwrap();
        assert_eq!(untagged, Untagged::Inner(inner));
        let flattened: Flattened = decode(SerializeType::MSGPACK, &payload[..].into()).unwrap();
        assert!(flattened.inner.list.is_empty());
    }

    #[test]
    fn bytes_and_times_go_through_what_serde_buffers() {
        let types = [SerializeType::MSGPACK, SerializeType::JSON];
        for serialize_type in types.into_iter().take(if cfg!(feature = "json") { 2 } else { 1 }) {
            for seconds in [-1, 0, 1, 1 << 33, 1 << 40] {
                let value = Flattened {
                    name: "n".to_owned(),
                    inner: Inner {
                        list: vec![1],
                        number: 2,
                        bytes: crate::Bytes::from(b"\x00\xff"),
                        time: crate::Time::new(seconds.min(1 << 37), 5).unwrap(),
                    },
                };
                let mut out = Vec::new();
                encode(serialize_type, &value, &mut out).unwrap();
                assert_eq!(decode(serialize_type, &out.into()), Ok(value));
            }
        }
    }

    #[test]
    fn extensions_pass_through() {
        let time = decode(SerializeType::MSGPACK, &b"\xd6\xff\0\0\0\x01"[..].into());
        assert_eq!(time, Ok(rmpv::Value::Ext(-1, vec![0, 0, 0, 1])));
    }

    #[test]
    fn borrowed_values_stay_borrowed() {
        use serde::Deserialize as _;

        #[derive(Debug, PartialEq, Deserialize)]
        struct Borrowed<'a> {
            text: &'a str,
            bytes: &'a [u8],
            nil: &'a [u8],
        }

        let payload = b"\x83\xa4text\xa1t\xa5bytes\xc4\x01b\xa3nil\xc0";
        let mut inner = rmp_serde::Deserializer::from_read_ref(&payload[..]);
        let borrowed = Borrowed::deserialize(super::GoCompat::new(&mut inner)).unwrap();
        assert_eq!(borrowed, Borrowed { text: "t", bytes: b"b", nil: b"" });
    }
}
