//! Every payload Go rpcx 1.9.4 wrote is read into the Rust type its user would write, and written
//! again so that Go reads it.
//!
//! `golden/payloads.jsonl` was written by Go's own encoders. Where the bytes we write differ from
//! Go's, the reason is one of [`reason`], and what we wrote must read as the same value.
#![cfg(feature = "json")]

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Debug,
};

use rpcx::{Bytes, Time, codec, protocol::SerializeType};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_bytes::ByteArray;
use serde_json::Value;

/// Why our bytes are not Go's although they mean the same.
mod reason {
    /// Go writes `int8`…`int64` and `uint8`…`uint64` full width, we write the shortest form.
    pub(super) const FULL_WIDTH: &str = "full width";
    /// Go writes nil for an unset slice, map or `[]byte`; a `Vec` or `HashMap` is then empty.
    pub(super) const NIL: &str = "nil";
    /// Map entries have no order.
    pub(super) const MAP_ORDER: &str = "map order";
    /// Go writes a whole `float64` in JSON without a fraction.
    pub(super) const FRACTION: &str = "fraction";
    /// We write all structs as maps; Go reads them where it would write an array.
    pub(super) const AS_ARRAY: &str = "as array";
    /// JSON leaves the fields of a nil embedded pointer out, we write them as null.
    pub(super) const NIL_EMBEDDED: &str = "nil embedded pointer";
}

/// How our bytes compare with Go's.
#[derive(Clone, Copy)]
enum Form {
    Same,
    Differs(&'static [&'static str]),
}

use Form::{Differs, Same};

#[derive(Deserialize)]
struct Payload {
    name: String,
    codec: String,
    hex: String,
    value: Value,
    map_order: bool,
}

/// The payloads not looked at yet.
struct Golden {
    left: BTreeMap<(String, String), Payload>,
    handled: usize,
}

impl Golden {
    fn load() -> Self {
        let payloads = include_str!("golden/payloads.jsonl").lines().map(|line| {
            let payload: Payload = serde_json::from_str(line).unwrap();
            ((payload.name.clone(), payload.codec.clone()), payload)
        });
        Self { left: payloads.collect(), handled: 0 }
    }

    fn take(&mut self, name: &str, codec: &str) -> Payload {
        self.handled += 1;
        self.left.remove(&(name.to_owned(), codec.to_owned())).unwrap()
    }

    /// Checks a payload in both serde codecs; the forms are those of `MessagePack` and JSON.
    fn both<T>(&mut self, name: &str, value: &T, msgpack: Form, json: Form)
    where
        T: Serialize + DeserializeOwned + PartialEq + Debug,
    {
        self.one(name, "msgpack", value, msgpack);
        self.one(name, "json", value, json);
    }

    fn one<T>(&mut self, name: &str, codec: &str, value: &T, form: Form)
    where
        T: Serialize + DeserializeOwned + PartialEq + Debug,
    {
        let payload = self.take(name, codec);
        let serialize_type = match codec {
            "msgpack" => SerializeType::MSGPACK,
            _ => SerializeType::JSON,
        };
        let go = payload.bytes();
        let read: T = codec::decode(serialize_type, &go).unwrap();
        assert_eq!(read, *value, "{name} {codec}");

        let mut ours = Vec::new();
        codec::encode(serialize_type, value, &mut ours).unwrap();
        match form {
            Same => assert_eq!(ours, go, "{name} {codec}"),
            Differs(reasons) => {
                assert_ne!(ours, go, "{name} {codec} needs none of {reasons:?}");
                assert_eq!(payload.map_order, reasons.contains(&reason::MAP_ORDER), "{name}");
                let again: T = codec::decode(serialize_type, &ours.into()).unwrap();
                assert_eq!(again, *value, "{name} {codec}");
            }
        }
        payload.holds(value);
    }

    #[cfg(feature = "protobuf")]
    fn message<M>(&mut self, name: &str, value: &M)
    where
        M: prost::Message + Default + PartialEq + Debug,
    {
        let go = self.take(name, "protobuf").bytes();
        let read: M = codec::decode_message(&go).unwrap();
        assert_eq!(read, *value, "{name}");
        let mut ours = Vec::new();
        codec::encode_message(value, &mut ours).unwrap();
        assert_eq!(ours, go, "{name}");
    }
}

impl Payload {
    fn bytes(&self) -> bytes::Bytes {
        let byte = |at| u8::from_str_radix(&self.hex[at..at + 2], 16).unwrap();
        (0..self.hex.len()).step_by(2).map(byte).collect()
    }

    /// Checks that the value is the one Go had, by what both write as JSON.
    fn holds<T: Serialize>(&self, value: &T) {
        if self.name == "tagged" && self.codec == "msgpack" {
            // Its JSON names are other ones: the type for JSON is compared.
            return;
        }
        let mut ours = Vec::new();
        codec::encode(SerializeType::JSON, value, &mut ours).unwrap();
        let ours: Value = serde_json::from_slice(&ours).unwrap();
        assert!(same(&ours, &self.value), "{}: {ours} is not {}", self.name, self.value);
    }
}

/// Whether the two are the same to Go, to which nil, missing and empty are alike.
fn same(ours: &Value, go: &Value) -> bool {
    match (ours, go) {
        (Value::Array(ours), Value::Array(go)) => {
            ours.len() == go.len() && ours.iter().zip(go).all(|(ours, go)| same(ours, go))
        }
        (Value::Object(ours), Value::Object(go)) => {
            go.keys().all(|key| ours.contains_key(key))
                && ours.iter().all(|(key, ours)| same(ours, go.get(key).unwrap_or(&Value::Null)))
        }
        // `0.0` and `0`.
        (Value::Number(ours), Value::Number(go)) => ours == go || ours.as_f64() == go.as_f64(),
        (Value::Array(ours), Value::Null) => ours.is_empty(),
        (Value::Object(ours), Value::Null) => ours.is_empty(),
        (Value::String(ours), Value::Null) => ours.is_empty(),
        _ => ours == go,
    }
}

#[test]
fn every_payload_of_go_is_read_and_written() {
    let mut golden = Golden::load();
    assert_eq!(golden.left.len(), 183);
    integers(&mut golden);
    scalars(&mut golden);
    bytes_and_text(&mut golden);
    times(&mut golden);
    structs(&mut golden);
    lists_and_maps(&mut golden);
    shapes(&mut golden);
    any(&mut golden);
    #[cfg(feature = "protobuf")]
    messages(&mut golden);
    #[cfg(not(feature = "protobuf"))]
    {
        let before = golden.left.len();
        golden.left.retain(|(_, codec), _| codec != "protobuf");
        golden.handled += before - golden.left.len();
    }
    assert_eq!(golden.left.keys().collect::<Vec<_>>(), [] as [&(String, String); 0]);
    assert_eq!(golden.handled, 183);
}

/// Go's `int`, in all widths it is written in.
fn integers(golden: &mut Golden) {
    let names = golden.left.keys().filter(|(_, codec)| codec == "msgpack");
    let integers: Vec<(String, i64)> = names
        .filter_map(|(name, _)| {
            let number = name.strip_prefix("int")?.parse().ok()?;
            Some((name.clone(), number))
        })
        .collect();
    assert_eq!(integers.len(), 25);
    for (name, number) in integers {
        golden.both(&name, &number, Same, Same);
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
struct Args {
    a: i64,
    b: i64,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
struct Scalars {
    i: i64,
    i8: i8,
    i16: i16,
    i32: i32,
    i64: i64,
    u: u64,
    u8: u8,
    u16: u16,
    u32: u32,
    u64: u64,
    f32: f32,
    f64: f64,
    b: bool,
    s: String,
}

fn scalars(golden: &mut Golden) {
    for a in [0, 1, 127, 128, 255] {
        golden.both(&format!("args+{a}"), &Args { a, b: -a - 1 }, Same, Same);
    }

    let full_width = Differs(&[reason::FULL_WIDTH]);
    golden.both("scalars-zero", &Scalars::default(), full_width, Differs(&[reason::FRACTION]));
    let max = Scalars {
        i: i64::MAX,
        i8: i8::MAX,
        i16: i16::MAX,
        i32: i32::MAX,
        i64: i64::MAX,
        u: u64::MAX,
        u8: u8::MAX,
        u16: u16::MAX,
        u32: u32::MAX,
        u64: u64::MAX,
        f32: f32::MAX,
        f64: f64::MAX,
        b: true,
        s: "max".to_owned(),
    };
    golden.both("scalars-max", &max, full_width, Same);
    let min = Scalars {
        i: i64::MIN,
        i8: i8::MIN,
        i16: i16::MIN,
        i32: i32::MIN,
        i64: i64::MIN,
        f32: f32::MIN,
        f64: f64::from_bits(1),
        s: "min".to_owned(),
        ..Scalars::default()
    };
    golden.both("scalars-min", &min, full_width, Same);
    let small = Scalars {
        i: 1,
        i8: 2,
        i16: 3,
        i32: 4,
        i64: 5,
        u: 6,
        u8: 7,
        u16: 8,
        u32: 9,
        u64: 10,
        f32: 1.5,
        f64: -2.25,
        b: true,
        s: "s".to_owned(),
    };
    golden.both("scalars-small", &small, full_width, Same);

    golden.both("bool-true", &true, Same, Same);
    golden.both("bool-false", &false, Same, Same);
    golden.both("f64", &std::f64::consts::PI, Same, Same);
    golden.both("f32", &0.1_f32, Same, Same);
    golden.both("uint-max", &u64::MAX, Same, Same);
    golden.both("u64", &1_u64, full_width, Same);
    golden.both("i64", &1_i64, full_width, Same);
    golden.both("u8", &200_u8, Same, Same);
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Blobs {
    data: Bytes,
    arr: ByteArray<4>,
    list: Vec<Bytes>,
    nil: Bytes,
}

fn bytes_and_text(golden: &mut Golden) {
    let texts = [
        String::new(),
        "héllo, 世界 🚀".to_owned(),
        "abc".repeat(100),
        "s".repeat(31),
        "s".repeat(32),
        "s".repeat(255),
        "s".repeat(256),
    ];
    for (index, text) in texts.iter().enumerate() {
        golden.both(&format!("string-{index}"), text, Same, Same);
    }

    golden.both("bytes-empty", &Bytes::new(), Same, Same);
    golden.both("bytes", &Bytes::from(b"\x00\x01\x02\xff"), Same, Same);
    golden.both("bytes-300", &Bytes::from(vec![7; 300]), Same, Same);
    let blobs = Blobs {
        data: Bytes::from(b"\x01\x02\xc8"),
        arr: ByteArray::new([1, 2, 3, 255]),
        list: vec![Bytes::from(b"\x01"), Bytes::new(), Bytes::from(b"\x02\x03")],
        nil: Bytes::new(),
    };
    golden.both("bytes-struct", &blobs, Differs(&[reason::NIL]), Differs(&[reason::NIL]));
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Times {
    t: Time,
    p: Option<Time>,
    /// A `time.Duration`: nanoseconds.
    d: i64,
}

fn times(golden: &mut Golden) {
    let mut time = |name: &str, (seconds, nanoseconds), p: Option<i64>, d| {
        let t = Time::new(seconds, nanoseconds).unwrap();
        let p = p.map(|seconds| Time::new(seconds, 0).unwrap());
        golden.both(name, &Times { t, p, d }, Differs(&[reason::FULL_WIDTH]), Same);
    };
    time("time-epoch", (0, 0), None, 0);
    time("time-sec", (1_700_000_000, 0), Some(1), 1_000_000_000);
    time("time-nanos", (1_700_000_000, 123_456_789), None, -5);
    time("time-zero", (-62_135_596_800, 0), None, 0);
    time("time-pre1970", (-1_262_206_555, 6_000), None, 0);
    time("time-2600", (19_880_996_645, 7), None, 0);
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inner {
    name: String,
    n: i64,
}

fn inner(name: &str, n: i64) -> Inner {
    Inner { name: name.to_owned(), n }
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Nested {
    #[serde(rename = "In")]
    inner: Inner,
    #[serde(rename = "P")]
    pointer: Option<Inner>,
    #[serde(rename = "L")]
    list: Vec<Inner>,
    #[serde(rename = "LP")]
    pointers: Vec<Option<Inner>>,
    #[serde(rename = "M")]
    map: HashMap<String, Inner>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
struct Pointers {
    i: Option<i64>,
    s: Option<String>,
    b: Option<bool>,
    f: Option<f64>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tree {
    val: i64,
    kids: Vec<Tree>,
}

fn structs(golden: &mut Golden) {
    let nil = Differs(&[reason::NIL]);
    let nested = Nested {
        inner: inner("a", 1),
        pointer: Some(inner("b", 2)),
        list: vec![inner("c", 3), inner("d", -4)],
        pointers: vec![Some(inner("e", 5)), None],
        map: HashMap::from([("k".to_owned(), inner("f", 6))]),
    };
    golden.both("nested", &nested, Same, Same);
    golden.both("nested-zero", &Nested::default(), nil, nil);

    let set = Pointers { i: Some(7), s: Some("x".to_owned()), b: Some(true), f: Some(2.5) };
    golden.both("ptrs-set", &set, Same, Same);
    let unset = Pointers { i: None, s: None, b: None, f: None };
    golden.both("ptrs-nil", &unset, Same, Same);
    let zero = Pointers { i: Some(0), s: Some(String::new()), b: Some(false), f: Some(0.0) };
    golden.both("ptrs-zero", &zero, Same, Differs(&[reason::FRACTION]));

    let leaf = |val| Tree { val, kids: vec![] };
    let tree = Tree { val: 1, kids: vec![leaf(2), Tree { val: 3, kids: vec![leaf(4)] }] };
    golden.both("tree", &tree, nil, nil);
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Slices {
    s: Vec<String>,
    i: Vec<i64>,
    i8: Vec<i8>,
    u16: Vec<u16>,
    f: Vec<f64>,
    nil: Vec<String>,
    e: Vec<String>,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Maps {
    #[serde(rename = "SS")]
    texts: BTreeMap<String, String>,
    #[serde(rename = "SI")]
    numbers: BTreeMap<String, i64>,
    #[serde(rename = "IS")]
    by_number: BTreeMap<i64, String>,
    #[serde(rename = "SB")]
    flags: BTreeMap<String, bool>,
    #[serde(rename = "Nil")]
    nil: BTreeMap<String, i64>,
}

fn text_map<T>(entries: impl IntoIterator<Item = (&'static str, T)>) -> BTreeMap<String, T> {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn lists_and_maps(golden: &mut Golden) {
    let nil = Differs(&[reason::NIL]);
    let slices = Slices {
        s: vec!["a".to_owned(), String::new(), "ü".to_owned()],
        i: vec![1, -1, 300],
        i8: vec![1, -1],
        u16: vec![1, 65_535],
        f: vec![0.0, 1.25],
        nil: vec![],
        e: vec![],
    };
    golden.both("slices", &slices, Differs(&[reason::NIL, reason::FULL_WIDTH]), nil);

    let one = Maps {
        texts: text_map([("a", "b".to_owned())]),
        numbers: text_map([("n", -5)]),
        by_number: BTreeMap::from([(7, "seven".to_owned())]),
        flags: text_map([("t", true)]),
        nil: BTreeMap::new(),
    };
    golden.both("maps", &one, nil, nil);
    let many = Maps {
        texts: text_map([("a", "1".to_owned()), ("b", "2".to_owned()), ("c", "3".to_owned())]),
        numbers: text_map([("x", 1), ("y", 2)]),
        ..Maps::default()
    };
    golden.both("maps-many", &many, Differs(&[reason::NIL, reason::MAP_ORDER]), nil);
    golden.both("maps-nil", &Maps::default(), nil, nil);

    golden.both("top-slice", &vec!["a".to_owned(), "b".to_owned()], Same, Same);
    golden.both("top-ints", &vec![1, 2, -3], Same, Same);
    golden.both("top-map", &text_map([("a", 1)]), Same, Same);
    golden.both("top-map-empty", &HashMap::<String, i64>::new(), Same, Same);
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Embedded {
    #[serde(flatten)]
    inner: Inner,
    extra: String,
}

/// An embedded pointer that may be nil: in `MessagePack` its fields are there, and nil.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EmbeddedPointer {
    name: Option<String>,
    n: Option<i64>,
    extra: String,
}

/// Go's `omitempty`; `p` is a pointer.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct OmitEmpty {
    #[serde(skip_serializing_if = "is_zero")]
    a: i64,
    #[serde(skip_serializing_if = "String::is_empty")]
    s: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    l: Vec<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p: Option<i64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    m: BTreeMap<String, i64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// Go's `msgpack` and `json` tags are apart, serde has one name for both.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct TaggedInMsgpack {
    user_id: i64,
    #[serde(rename = "JSONOnly")]
    json_only: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct TaggedInJson {
    #[serde(rename = "userId")]
    user_id: i64,
    json_only: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Empty {}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AsArray {
    a: i64,
    b: String,
}

/// Go's named types are written as what they are made of.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    c: Color,
    l: Level,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Color(i64);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Low,
    High,
}

fn shapes(golden: &mut Golden) {
    let embedded = Embedded { inner: inner("n", 1), extra: "x".to_owned() };
    golden.both("embedded", &embedded, Same, Same);
    golden.both("embedded-ptr", &embedded, Same, Same);
    let nil = EmbeddedPointer { name: None, n: None, extra: "x".to_owned() };
    golden.both("embedded-ptr-nil", &nil, Same, Differs(&[reason::NIL_EMBEDDED]));

    golden.both("omitempty-all-empty", &OmitEmpty::default(), Same, Same);
    let set =
        OmitEmpty { a: 1, s: "s".to_owned(), l: vec![1], p: Some(0), m: text_map([("k", 1)]) };
    golden.both("omitempty-set", &set, Same, Same);

    let tagged = TaggedInMsgpack { user_id: 5, json_only: "j".to_owned() };
    golden.one("tagged", "msgpack", &tagged, Same);
    let tagged = TaggedInJson { user_id: 5, json_only: "j".to_owned() };
    golden.one("tagged", "json", &tagged, Same);

    golden.both("empty-struct", &Empty {}, Same, Same);
    let as_array = AsArray { a: 1, b: "two".to_owned() };
    golden.both("as-array", &as_array, Differs(&[reason::AS_ARRAY]), Same);
    golden.both("named", &Named { c: Color(3), l: Level::High }, Same, Same);
}

/// Go's `any`.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Interface {
    v: Value,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Any {
    m: HashMap<String, Value>,
    l: Vec<Value>,
}

fn any(golden: &mut Golden) {
    let mut interface = |name, v| golden.both(name, &Interface { v }, Same, Same);
    interface("iface-int", 5.into());
    interface("iface-string", "s".into());
    interface("iface-nil", Value::Null);
    interface("iface-list", vec!["a".into(), true.into(), Value::Null].into());
    interface("iface-map", Value::Object([("k".to_owned(), "v".into())].into_iter().collect()));
    let mixed = Any {
        m: HashMap::from([("b".to_owned(), true.into())]),
        l: vec!["x".into(), Value::Null, false.into()],
    };
    golden.both("any-mixed", &mixed, Same, Same);
}

#[cfg(feature = "protobuf")]
mod proto {
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Args {
        #[prost(int32, tag = "1")]
        pub(super) a: i32,
        #[prost(int32, tag = "2")]
        pub(super) b: i32,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Reply {
        #[prost(int32, tag = "1")]
        pub(super) c: i32,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct ColorGroup {
        #[prost(int32, tag = "1")]
        pub(super) id: i32,
        #[prost(string, tag = "2")]
        pub(super) name: String,
        #[prost(string, repeated, tag = "3")]
        pub(super) colors: Vec<String>,
    }

    /// The fields that are set, of some forty.
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Benchmark {
        #[prost(string, tag = "1")]
        pub(super) field1: String,
        #[prost(bool, tag = "80")]
        pub(super) field80: bool,
        #[prost(int32, tag = "2")]
        pub(super) field2: i32,
        #[prost(int32, tag = "280")]
        pub(super) field280: i32,
        #[prost(int64, tag = "22")]
        pub(super) field22: i64,
        #[prost(fixed64, repeated, tag = "5")]
        pub(super) field5: Vec<u64>,
        #[prost(string, tag = "129")]
        pub(super) field129: String,
    }
}

#[cfg(feature = "protobuf")]
fn messages(golden: &mut Golden) {
    golden.message("pb-args", &proto::Args { a: 10, b: 20 });
    golden.message("pb-args-neg", &proto::Args { a: -1, b: i32::MIN });
    golden.message("pb-args-zero", &proto::Args::default());
    golden.message("pb-reply", &proto::Reply { c: 200 });
    let colors = ["Crimson", "Ruby", ""].map(str::to_owned).to_vec();
    golden.message("pb-color", &proto::ColorGroup { id: 1, name: "Reds".to_owned(), colors });
    golden.message("pb-color-zero", &proto::ColorGroup::default());
    let benchmark = proto::Benchmark {
        field1: "héllo".to_owned(),
        field80: true,
        field2: -7,
        field280: 1_048_576,
        field22: -1_099_511_627_776,
        field5: vec![1, u64::MAX],
        field129: "z".to_owned(),
    };
    golden.message("pb-bench", &benchmark);
}
