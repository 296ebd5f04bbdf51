//! What holds for every codec.

use std::collections::{BTreeMap, HashMap};

use ::bytes::Bytes as Shared;
use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Bytes, CodecError, MapWriter, Time, decode, encode};
use crate::protocol::SerializeType;

#[cfg(feature = "json")]
const SERDE: [SerializeType; 2] = [SerializeType::MSGPACK, SerializeType::JSON];
#[cfg(not(feature = "json"))]
const SERDE: [SerializeType; 1] = [SerializeType::MSGPACK];

fn all() -> impl Iterator<Item = SerializeType> {
    (0..16).map(SerializeType::from_id)
}

fn encoded<T: Serialize + ?Sized>(serialize_type: SerializeType, value: &T) -> Shared {
    let mut out = Vec::new();
    encode(serialize_type, value, &mut out).unwrap();
    out.into()
}

fn decode_text(error: CodecError) -> String {
    match error {
        CodecError::Decode(text) => text,
        error => panic!("not an error of decoding: {error:?}"),
    }
}

#[test]
fn an_unknown_codec_is_named_as_go_names_it() {
    let unknown = CodecError::Unknown(SerializeType::from_id(9));
    assert_eq!(decode::<i64>(SerializeType::from_id(9), &Shared::new()), Err(unknown.clone()));
    assert_eq!(encode(SerializeType::from_id(9), &1, &mut vec![]), Err(unknown.clone()));
    assert_eq!(unknown.to_string(), "can not find codec for 9");
}

#[test]
fn a_codec_whose_feature_is_off_is_unknown() {
    for (serialize_type, on) in [
        (SerializeType::JSON, cfg!(feature = "json")),
        (SerializeType::PROTOBUF, cfg!(feature = "protobuf")),
    ] {
        let off =
            encode(serialize_type, &1, &mut vec![]) == Err(CodecError::Unknown(serialize_type));
        assert_eq!(off, !on);
    }
}

#[cfg(feature = "protobuf")]
#[test]
fn a_serde_type_is_no_protobuf_message() {
    let error = encode(SerializeType::PROTOBUF, &1_i64, &mut vec![]).unwrap_err();
    assert_eq!(decode::<i64>(SerializeType::PROTOBUF, &Shared::new()), Err(error.clone()));
    assert_eq!(
        error.to_string(),
        "`i64` is a serde type: serialize type 2 carries `prost::Message` types only"
    );
}

#[test]
fn encoding_appends_and_an_error_takes_it_back() {
    for serialize_type in all() {
        let mut out = b"before".to_vec();
        let long = (1, vec!["text"; 100], Refuses);
        assert!(encode(serialize_type, &long, &mut out).is_err());
        assert_eq!(out, b"before");
    }
    let mut out = b"before".to_vec();
    encode(SerializeType::MSGPACK, &1, &mut out).unwrap();
    assert_eq!(out, b"before\x01");
}

struct Refuses;

impl Serialize for Refuses {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("no"))
    }
}

#[test]
fn unit_is_nil_and_reads_from_any_value() {
    assert_eq!(
        encoded(SerializeType::MSGPACK, &()),
        "\u{c0}".chars().map(|c| c as u8).collect::<Vec<_>>()
    );
    assert_eq!(encoded(SerializeType::RAW, &()), "");
    for payload in [&b"\x80"[..], b"\xc0", b"", b"\x81\xa1A\x93\x01\x02\x03", b"\x90", b"\xa1x"] {
        decode::<()>(SerializeType::MSGPACK, &payload.into()).unwrap();
        decode::<()>(SerializeType::RAW, &payload.into()).unwrap();
    }
    let error = decode::<()>(SerializeType::MSGPACK, &b"\x92\x01"[..].into()).unwrap_err();
    assert_eq!(decode_text(error), "unexpected EOF");
}

#[cfg(feature = "json")]
#[test]
fn unit_is_null_and_reads_from_any_json() {
    assert_eq!(encoded(SerializeType::JSON, &()), "null");
    for payload in ["{}", "null", "", r#"{"A":[1,2]}"#, "[]", r#""x""#] {
        decode::<()>(SerializeType::JSON, &payload.into()).unwrap();
    }
}

#[test]
fn a_unit_struct_reads_from_gos_empty_struct() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Nothing;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Outer {
        nothing: Nothing,
        unit: (),
    }

    for payload in [&b"\x80"[..], b""] {
        assert_eq!(decode(SerializeType::MSGPACK, &payload.into()), Ok(Nothing));
    }
    let payload = b"\x82\xa7nothing\x80\xa4unit\x81\xa1a\x01";
    let outer = decode(SerializeType::MSGPACK, &payload[..].into());
    assert_eq!(outer, Ok(Outer { nothing: Nothing, unit: () }));
}

#[test]
fn an_empty_payload_is_an_error_with_gos_text() {
    for serialize_type in SERDE {
        let text = |error: CodecError| decode_text(error);
        assert_eq!(text(decode::<i64>(serialize_type, &Shared::new()).unwrap_err()), "EOF");
        assert_eq!(text(decode::<Option<i64>>(serialize_type, &Shared::new()).unwrap_err()), "EOF");
        assert_eq!(text(decode::<Vec<i64>>(serialize_type, &Shared::new()).unwrap_err()), "EOF");
        assert_eq!(text(decode::<Mixed>(serialize_type, &Shared::new()).unwrap_err()), "EOF");
    }
}

#[test]
fn bytes_after_the_value_are_ignored() {
    assert_eq!(decode(SerializeType::MSGPACK, &b"\x07\xff\xff"[..].into()), Ok(7));
    #[cfg(feature = "json")]
    assert_eq!(decode(SerializeType::JSON, &"[7] and more".into()), Ok([7]));
}

#[test]
fn errors_hold_nothing_of_the_payload() {
    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Strict {
        number: u8,
        choice: Choice,
    }

    #[derive(Debug, Deserialize)]
    enum Choice {
        A,
        B,
    }

    fn texts<T: DeserializeOwned + std::fmt::Debug>(value: impl Serialize) -> Vec<String> {
        SERDE
            .into_iter()
            .map(|serialize_type| {
                let payload = encoded(serialize_type, &value);
                let text = decode_text(decode::<T>(serialize_type, &payload).unwrap_err());
                assert!(!text.contains("s3cret") && !text.contains("4242"), "{text}");
                // Where in the text it was is only said of JSON.
                text.split(" at line ").next().unwrap().to_owned()
            })
            .collect()
    }

    for text in texts::<Strict>(HashMap::from([("number", "s3cret`, expected s3cret")])) {
        assert!(
            text == "invalid type: string, expected u8" || text.starts_with("wrong msgpack marker"),
            "{text}"
        );
    }
    for text in texts::<Strict>(HashMap::from([("number", 4242)])) {
        assert_eq!(text, "invalid value: integer, expected u8");
    }
    for text in texts::<Strict>(HashMap::from([("s3cret`, expected `s3cret", 1)])) {
        assert_eq!(text, "unknown field, expected `number` or `choice`");
    }
    for text in texts::<Choice>("s3cret`, expected `s3cret") {
        assert_eq!(text, "unknown variant, expected `A` or `B`");
    }
    for text in texts::<Vec<u8>>(HashMap::from([("s3cret", 1)])) {
        assert_eq!(text, "invalid type: map, expected a sequence");
    }
    for text in texts::<Bytes>(42.42) {
        assert!(text.starts_with("invalid type: floating point, expected "), "{text}");
    }
    for text in texts::<String>(4242) {
        assert_eq!(text, "invalid type: integer, expected a string");
    }
    for text in texts::<char>("s3cret") {
        assert_eq!(text, "invalid value: string, expected a character");
    }
}

/// On the stack of a worker thread, where a missing depth limit would end the process.
fn on_2_mib<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::Builder::new().stack_size(2 << 20).spawn(work).unwrap().join().unwrap()
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Tree {
    kids: Vec<Tree>,
    next: Option<Box<Tree>>,
    by_name: HashMap<String, Tree>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Chain {
    End,
    Link(Box<Chain>),
    Pair(Box<Chain>, u8),
    Named { next: Box<Chain> },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Anything {
    List(Vec<Anything>),
    Map(BTreeMap<String, Anything>),
    Number(i64),
    Nil,
}

#[test]
fn deep_payloads_are_refused_whatever_they_are_read_as() {
    fn refused<T: DeserializeOwned>(serialize_type: SerializeType, payload: &Shared) {
        assert!(decode::<T>(serialize_type, payload).is_err());
    }

    fn refused_as_all(serialize_type: SerializeType, payload: &Shared) {
        refused::<()>(serialize_type, payload);
        refused::<serde::de::IgnoredAny>(serialize_type, payload);
        refused::<Tree>(serialize_type, payload);
        refused::<Chain>(serialize_type, payload);
        refused::<Anything>(serialize_type, payload);
        refused::<serde_json::Value>(serialize_type, payload);
        refused::<Bytes>(serialize_type, payload);
        refused::<Time>(serialize_type, payload);
        refused::<Mixed>(serialize_type, payload);
    }

    on_2_mib(|| {
        let mut payloads = Vec::new();
        for part in [
            &b"\x91"[..],
            b"\x81",
            b"\x81\xa4kids\x91",
            b"\x81\xa4next",
            b"\x81\xa7by_name\x81\xa1a",
            b"\x81\xa4Link",
            b"\x81\xa4Pair\x92",
            b"\x81\xa5Named\x81\xa4next",
            // An unknown field.
            b"\x81\xa1x",
        ] {
            payloads.push((SerializeType::MSGPACK, Shared::from(part.repeat(100_000))));
        }
        for part in [
            "[",
            r#"{"kids":["#,
            r#"{"next":"#,
            r#"{"by_name":{"a":"#,
            r#"{"Link":"#,
            r#"{"Pair":["#,
            r#"{"Named":{"next":"#,
            r#"{"x":"#,
        ] {
            payloads.push((SerializeType::JSON, Shared::from(part.repeat(100_000))));
        }
        for (serialize_type, payload) in payloads {
            refused_as_all(serialize_type, &payload);
        }
    });
}

#[test]
fn values_nest_127_levels_deep() {
    fn chain(levels: usize) -> Chain {
        (0..levels).fold(Chain::End, |chain, _| Chain::Link(Box::new(chain)))
    }

    fn list(levels: usize) -> Anything {
        (0..levels).fold(Anything::Number(1), |list, _| Anything::List(vec![list]))
    }

    on_2_mib(|| {
        for serialize_type in SERDE {
            let payload = encoded(serialize_type, &chain(127));
            assert_eq!(decode(serialize_type, &payload), Ok(chain(127)));
            let payload = encoded(serialize_type, &list(127));
            assert_eq!(decode(serialize_type, &payload), Ok(list(127)));
        }
        let payload = encoded(SerializeType::MSGPACK, &chain(128));
        let error = decode::<Chain>(SerializeType::MSGPACK, &payload).unwrap_err();
        assert_eq!(decode_text(error), "depth limit exceeded");
        let payload = encoded(SerializeType::MSGPACK, &vec![chain(127)]);
        let error = decode::<Vec<Chain>>(SerializeType::MSGPACK, &payload).unwrap_err();
        assert_eq!(decode_text(error), "depth limit exceeded");
    });
}

#[test]
fn a_length_without_its_bytes_is_an_error() {
    fn refused<T: DeserializeOwned + std::fmt::Debug>(payload: &'static [u8]) {
        let text = decode_text(decode::<T>(SerializeType::MSGPACK, &payload.into()).unwrap_err());
        assert!(text == "unexpected EOF" || text.starts_with("invalid type"), "{text}");
    }

    for payload in [
        // Array, map, text, bytes and extension of 2³² - 1.
        &b"\xdd\xff\xff\xff\xff\x01"[..],
        b"\xdf\xff\xff\xff\xff\xa1a\x01",
        b"\xdb\xff\xff\xff\xffa",
        b"\xc6\xff\xff\xff\xffa",
        b"\xc9\xff\xff\xff\xff\xffa",
    ] {
        refused::<()>(payload);
        refused::<Vec<u8>>(payload);
        refused::<Vec<[u64; 32]>>(payload);
        refused::<HashMap<String, i64>>(payload);
        refused::<String>(payload);
        refused::<Bytes>(payload);
        refused::<serde_bytes::ByteBuf>(payload);
        refused::<Time>(payload);
        refused::<serde_json::Value>(payload);
        refused::<rmpv::Value>(payload);
    }
}

#[test]
fn a_map_by_entries_is_what_a_struct_is() {
    #[derive(Serialize)]
    struct Struct {
        a: i64,
        b: Vec<String>,
    }

    for serialize_type in SERDE {
        let value = Struct { a: 7, b: vec!["x".to_owned()] };
        let mut out = b"before".to_vec();
        let mut map = MapWriter::begin(serialize_type, 2, &mut out).unwrap();
        map.entry("a", |out| encode(serialize_type, &value.a, out)).unwrap();
        map.entry("b", |out| encode(serialize_type, &value.b, out)).unwrap();
        map.end();
        assert_eq!(out[6..], encoded(serialize_type, &value));

        let mut map = MapWriter::begin(serialize_type, 2, &mut out).unwrap();
        map.entry("a", |out| encode(serialize_type, &Refuses, out)).unwrap_err();
        drop(map);
        assert_eq!(out[6..], encoded(serialize_type, &value));
    }
    let error = MapWriter::begin(SerializeType::RAW, 2, &mut vec![]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`several parameters` is not bytes: serialize type 0 carries `rpcx::Bytes` only"
    );
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Mixed {
    number: i64,
    small: u8,
    float: f64,
    flag: Option<bool>,
    text: String,
    bytes: Bytes,
    time: Time,
    list: Vec<Option<String>>,
    map: BTreeMap<String, Vec<i32>>,
    shape: Shape,
    pair: (u16, char),
    nested: Option<Box<Mixed>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    Point,
    Circle(f32),
    Box(u8, u8),
    Text { text: String, bytes: Bytes },
}

fn shape() -> impl Strategy<Value = Shape> {
    prop_oneof![
        Just(Shape::Point),
        (-1e9_f32..1e9).prop_map(Shape::Circle),
        any::<(u8, u8)>().prop_map(|(a, b)| Shape::Box(a, b)),
        ("\\PC{0,12}", vec(any::<u8>(), 0..40))
            .prop_map(|(text, bytes)| Shape::Text { text, bytes: bytes.into() }),
    ]
}

fn time() -> impl Strategy<Value = Time> {
    // Years 0 to 9999, which JSON can hold.
    (-62_167_219_200_i64..253_402_300_800, prop_oneof![Just(0), 0..1_000_000_000_u32])
        .prop_map(|(seconds, nanoseconds)| Time::new(seconds, nanoseconds).unwrap())
}

fn mixed() -> impl Strategy<Value = Mixed> {
    let text = || "\\PC{0,12}";
    let scalars = (any::<i64>(), any::<u8>(), -1e300..1e300_f64, any::<Option<bool>>());
    let bytes = prop_oneof![vec(any::<u8>(), 0..40), vec(any::<u8>(), 5000..5010)];
    let rest = (
        (text(), bytes, time()),
        (vec(option::of(text()), 0..4), btree_map(text(), vec(any::<i32>(), 0..4), 0..4)),
        (shape(), any::<(u16, char)>()),
    );
    let leaf = (scalars, rest).prop_map(|((number, small, float, flag), rest)| {
        let ((text, bytes, time), (list, map), (shape, pair)) = rest;
        let bytes = bytes.into();
        let nested = None;
        Mixed { number, small, float, flag, text, bytes, time, list, map, shape, pair, nested }
    });
    leaf.prop_recursive(3, 3, 1, |inner| {
        (inner.clone(), inner)
            .prop_map(|(nested, outer)| Mixed { nested: Some(Box::new(nested)), ..outer })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_encoded_decodes(value in mixed()) {
        for serialize_type in SERDE {
            let payload = encoded(serialize_type, &value);
            prop_assert_eq!(decode(serialize_type, &payload), Ok(value.clone()));
        }
    }

    #[test]
    fn what_the_formats_read_is_read_alike(
        value in mixed(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        for serialize_type in SERDE {
            let mut payload = encoded(serialize_type, &value).to_vec();
            let at = at.index(payload.len());
            payload[at] = byte;
            let payload = Shared::from(payload);
            same_as_plain::<Mixed>(serialize_type, &payload);
            same_as_plain::<serde_json::Value>(serialize_type, &payload);
            same_as_plain::<rmpv::Value>(serialize_type, &payload);
        }
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(payload in vec(any::<u8>(), 0..200)) {
        read_as_all(&payload.into());
    }

    #[test]
    fn damaged_payloads_do_not_panic(
        value in mixed(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<prop::sample::Index>(),
    ) {
        for serialize_type in SERDE {
            let mut payload = encoded(serialize_type, &value).to_vec();
            let at = at.index(payload.len());
            payload[at] = byte;
            read_as_all(&payload.clone().into());
            payload.truncate(cut.index(payload.len()));
            read_as_all(&payload.into());
        }
    }
}

/// Checks that what a format reads by itself is read as the same value here.
fn same_as_plain<T: DeserializeOwned + std::fmt::Debug>(
    serialize_type: SerializeType,
    payload: &Shared,
) {
    let plain = if serialize_type == SerializeType::MSGPACK {
        T::deserialize(&mut rmp_serde::Deserializer::from_read_ref(&payload[..])).ok()
    } else {
        T::deserialize(&mut serde_json::Deserializer::from_slice(payload)).ok()
    };
    if let Some(plain) = plain {
        let value = decode::<T>(serialize_type, payload).unwrap();
        // By text: a float may be NaN.
        assert_eq!(format!("{value:?}"), format!("{plain:?}"));
    }
}

fn read_as_all(payload: &Shared) {
    for serialize_type in all() {
        let _ = decode::<()>(serialize_type, payload);
        let _ = decode::<Mixed>(serialize_type, payload);
        let _ = decode::<Tree>(serialize_type, payload);
        let _ = decode::<Chain>(serialize_type, payload);
        let _ = decode::<Anything>(serialize_type, payload);
        let _ = decode::<Option<Bytes>>(serialize_type, payload);
        let _ = decode::<Time>(serialize_type, payload);
        let _ = decode::<serde_json::Value>(serialize_type, payload);
        let _ = decode::<rmpv::Value>(serialize_type, payload);
        let _ = decode::<i128>(serialize_type, payload);
        let _ = decode::<HashMap<Vec<u8>, f32>>(serialize_type, payload);
    }
    #[cfg(feature = "protobuf")]
    {
        let _ = super::decode_message::<String>(payload);
        let _ = super::decode_message::<()>(payload);
    }
}
