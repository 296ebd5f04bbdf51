//! Typed calls from end to end: every form of argument, every codec, over TCP and in memory.
#![cfg(feature = "macros")]

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::future::IntoFuture as _;
use std::sync::Arc;

use rpcx::client::Channel;
use rpcx::protocol::SerializeType;
use rpcx::{Bytes, Client as _, Error, Result, Server};

#[path = "support/client.rs"]
#[allow(dead_code, reason = "each test file uses a part")]
mod support;

use support::{ADDRESS, Args, FakeNetwork, Reply, args, serve, soon};

/// One method for each form of argument.
#[rpcx::service]
trait Forms {
    async fn zero(&self) -> Result<i64>;
    async fn nothing(&self) -> Result<()>;
    async fn owned(&self, args: Args) -> Result<Reply>;
    async fn borrowed(&self, args: &Args) -> Result<Reply>;
    async fn string(&self, text: String) -> Result<String>;
    async fn text(&self, text: &str) -> Result<String>;
    async fn list(&self, numbers: Vec<i64>) -> Result<i64>;
    async fn slice(&self, numbers: &[i64]) -> Result<i64>;
    async fn map(&self, counts: BTreeMap<String, u32>) -> Result<BTreeMap<String, u32>>;
    async fn maybe(&self, number: Option<i64>) -> Result<Option<i64>>;
    async fn unit(&self, unit: ()) -> Result<()>;
    async fn bytes(&self, data: Bytes) -> Result<Bytes>;
    async fn two(
        &self,
        #[rpcx(name = "A")] a: i64,
        #[rpcx(name = "Text")] text: &str,
    ) -> Result<String>;
    async fn three(&self, number: Option<i64>, names: &[String], args: Args) -> Result<String>;
    #[allow(clippy::too_many_arguments, reason = "the most there can be")]
    async fn twelve(
        &self,
        a: u8,
        b: i8,
        c: u16,
        d: i16,
        e: u32,
        f: i32,
        g: u64,
        h: i64,
        i: f64,
        j: bool,
        k: char,
        l: String,
    ) -> Result<String>;
}

struct Service;

impl Forms for Service {
    async fn zero(&self) -> Result<i64> {
        Ok(17)
    }

    async fn nothing(&self) -> Result<()> {
        Ok(())
    }

    async fn owned(&self, args: Args) -> Result<Reply> {
        Ok(Reply { c: args.a * args.b })
    }

    async fn borrowed(&self, args: &Args) -> Result<Reply> {
        Ok(Reply { c: args.a - args.b })
    }

    async fn string(&self, text: String) -> Result<String> {
        Ok(text.to_uppercase())
    }

    async fn text(&self, text: &str) -> Result<String> {
        Ok(text.to_lowercase())
    }

    async fn list(&self, numbers: Vec<i64>) -> Result<i64> {
        Ok(numbers.iter().sum())
    }

    async fn slice(&self, numbers: &[i64]) -> Result<i64> {
        Ok(numbers.iter().product())
    }

    async fn map(&self, mut counts: BTreeMap<String, u32>) -> Result<BTreeMap<String, u32>> {
        for count in counts.values_mut() {
            *count += 1;
        }
        Ok(counts)
    }

    async fn maybe(&self, number: Option<i64>) -> Result<Option<i64>> {
        Ok(number.map(|number| number + 1))
    }

    async fn unit(&self, (): ()) -> Result<()> {
        Ok(())
    }

    async fn bytes(&self, data: Bytes) -> Result<Bytes> {
        Ok(Bytes::from(data.iter().rev().copied().collect::<Vec<_>>()))
    }

    async fn two(&self, a: i64, text: &str) -> Result<String> {
        Ok(format!("{a}{text}"))
    }

    async fn three(&self, number: Option<i64>, names: &[String], args: Args) -> Result<String> {
        Ok(format!("{number:?} {names:?} {} {}", args.a, args.b))
    }

    #[expect(clippy::many_single_char_names, reason = "the names do not matter")]
    async fn twelve(
        &self,
        a: u8,
        b: i8,
        c: u16,
        d: i16,
        e: u32,
        f: i32,
        g: u64,
        h: i64,
        i: f64,
        j: bool,
        k: char,
        l: String,
    ) -> Result<String> {
        Ok(format!("{a} {b} {c} {d} {e} {f} {g} {h} {i} {j} {k} {l}"))
    }
}

/// Clients of servers over TCP and in memory, each in every codec that has all forms.
async fn clients(name: &str) -> Vec<FormsClient> {
    let mut clients = Vec::new();
    for address in ["tcp@127.0.0.1:0", &format!("memory@calls-{name}")] {
        let address = serve(Server::new().add(FormsServer::new(Service)), address).await;
        let mut codecs = vec![SerializeType::MSGPACK];
        codecs.extend(cfg!(feature = "json").then_some(SerializeType::JSON));
        for codec in codecs {
            let builder = FormsClient::builder().codec(codec);
            clients.push(soon(builder.connect_to(&address)).await.unwrap());
        }
    }
    clients
}

/// A client of a scripted server.
fn scripted(network: &FakeNetwork) -> FormsClient {
    FormsClient::builder().connector(network.clone()).connect_lazily(ADDRESS).unwrap()
}

#[tokio::test]
async fn a_method_without_arguments() {
    for client in clients("zero").await {
        assert_eq!(soon(client.zero().into_future()).await.unwrap(), 17);
        soon(client.nothing().into_future()).await.unwrap();
        soon(client.unit(()).into_future()).await.unwrap();
    }
}

#[tokio::test]
async fn an_argument_is_passed_by_value_by_reference_or_in_a_pointer() {
    for client in clients("owned").await {
        let expected = Reply { c: 6 };
        assert_eq!(client.owned(args(2, 3)).await.unwrap(), expected);
        assert_eq!(client.owned(&args(2, 3)).await.unwrap(), expected);
        assert_eq!(client.owned(Box::new(args(2, 3))).await.unwrap(), expected);
        assert_eq!(client.owned(Arc::new(args(2, 3))).await.unwrap(), expected);
        assert_eq!(client.owned(Cow::Borrowed(&args(2, 3))).await.unwrap(), expected);
        assert_eq!(client.owned(Cow::Owned(args(2, 3))).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn a_method_may_take_its_argument_by_reference() {
    for client in clients("borrowed").await {
        assert_eq!(client.borrowed(&args(7, 3)).await.unwrap(), Reply { c: 4 });
        assert_eq!(client.text("LOUD").await.unwrap(), "loud");
        assert_eq!(client.text(&String::from("LOUD")).await.unwrap(), "loud");
        assert_eq!(client.slice(&[2, 3, 7]).await.unwrap(), 42);
        assert_eq!(client.slice(&Vec::from([2, 3, 7])).await.unwrap(), 42);
    }
}

#[tokio::test]
async fn a_string_is_passed_as_a_string_or_as_a_str() {
    for client in clients("string").await {
        assert_eq!(client.string("quiet").await.unwrap(), "QUIET");
        assert_eq!(client.string(String::from("quiet")).await.unwrap(), "QUIET");
        assert_eq!(client.string(&String::from("quiet")).await.unwrap(), "QUIET");
        assert_eq!(client.string(Arc::new(String::from("quiet"))).await.unwrap(), "QUIET");
        assert_eq!(client.string("").await.unwrap(), "");
    }
}

#[tokio::test]
async fn a_vec_is_passed_as_a_vec_a_slice_or_an_array() {
    for client in clients("list").await {
        assert_eq!(client.list(vec![1, 2, 3]).await.unwrap(), 6);
        assert_eq!(client.list(&vec![1, 2, 3]).await.unwrap(), 6);
        assert_eq!(client.list(&[1, 2, 3]).await.unwrap(), 6);
        assert_eq!(client.list(&[1, 2, 3][..]).await.unwrap(), 6);
        assert_eq!(client.list(Arc::new(vec![1, 2, 3])).await.unwrap(), 6);
        assert_eq!(client.list(&[]).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn maps_and_options_go_both_ways() {
    for client in clients("maps").await {
        let counts = BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 2)]);
        let expected = BTreeMap::from([("a".to_owned(), 2), ("b".to_owned(), 3)]);
        assert_eq!(client.map(&counts).await.unwrap(), expected);
        assert_eq!(client.maybe(Some(1)).await.unwrap(), Some(2));
        assert_eq!(client.maybe(None::<i64>).await.unwrap(), None);
    }
}

#[tokio::test]
async fn several_arguments_are_passed_each_in_its_own_form() {
    for client in clients("several").await {
        assert_eq!(client.two(7, "x").await.unwrap(), "7x");
        assert_eq!(client.two(&7, &String::from("x")).await.unwrap(), "7x");
        let names = ["x".to_owned(), "y".to_owned()];
        let expected = r#"Some(1) ["x", "y"] 2 3"#;
        assert_eq!(client.three(Some(1), &names, args(2, 3)).await.unwrap(), expected);
        let boxed = Box::new(args(2, 3));
        assert_eq!(client.three(None::<i64>, &[], boxed).await.unwrap(), "None [] 2 3");
    }
}

#[tokio::test]
async fn twelve_arguments_keep_their_places_and_their_range() {
    for client in clients("twelve").await {
        let reply = client.twelve(
            u8::MAX,
            i8::MIN,
            u16::MAX,
            i16::MIN,
            u32::MAX,
            i32::MIN,
            u64::MAX,
            i64::MIN,
            0.5,
            true,
            '∞',
            "twelve",
        );
        let expected = "255 -128 65535 -32768 4294967295 -2147483648 18446744073709551615 \
                        -9223372036854775808 0.5 true ∞ twelve";
        assert_eq!(soon(reply.into_future()).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn bytes_travel_in_every_codec_whatever_their_size() {
    for client in clients("bytes").await {
        // Around the sizes from which a payload is shared, and one that needs many reads.
        for size in [0, 1, 255, 256, 4095, 4096, 16 << 10, (16 << 10) + 1, 200 << 10] {
            let data: Vec<u8> = (0..size).map(|n| u8::try_from(n % 251).unwrap()).collect();
            let expected: Vec<u8> = data.iter().rev().copied().collect();
            let data = Bytes::from(data);
            for codec in [None, Some(SerializeType::RAW)] {
                let call = client.bytes(&data);
                let call = match codec {
                    Some(codec) => call.codec(codec),
                    None => call,
                };
                assert_eq!(soon(call.into_future()).await.unwrap()[..], expected[..]);
            }
        }
    }
}

#[tokio::test]
async fn raw_carries_bytes_and_nothing_else() {
    for client in clients("raw").await {
        let error = client.owned(args(2, 3)).codec(SerializeType::RAW).await.unwrap_err();
        assert!(matches!(error, Error::Encode(_)), "{error:?}");
        let error = client.two(7, "x").codec(SerializeType::RAW).await.unwrap_err();
        assert!(matches!(error, Error::Encode(_)), "{error:?}");
        client.nothing().codec(SerializeType::RAW).await.unwrap();
    }
}

/// What Go rpcx 1.9.4 writes for a method that takes `struct{}`.
const GO_NO_FIELDS: &[u8] = b"\x80";
/// What Go writes for `struct{A int; Text string}{7, "x"}`.
const GO_TWO_FIELDS: &[u8] = b"\x82\xa1A\x07\xa4Text\xa1x";

#[tokio::test]
async fn the_arguments_are_written_as_go_writes_a_struct() {
    let (network, mut peers) = FakeNetwork::new();
    let client = scripted(&network);
    let names = ["x".to_owned()];
    let calls = [
        (client.zero().start(), GO_NO_FIELDS),
        (client.zero().codec(SerializeType::RAW).start(), b""),
    ];
    let mut peer = peers.accept().await;
    for (call, payload) in calls {
        assert_eq!(peer.request().await.payload(), payload);
        drop(call);
    }
    let call = client.two(7, "x").start();
    let request = peer.request().await;
    assert_eq!(request.payload(), GO_TWO_FIELDS);
    assert_eq!((request.service_path(), request.service_method()), (&b"Forms"[..], &b"Two"[..]));
    assert_eq!(request.metadata().len(), 0);
    drop(call);
    let call = client.three(None::<i64>, &names, args(2, 3)).start();
    let payload = b"\x83\xa6number\xc0\xa5names\x91\xa1x\xa4args\x82\xa1A\x02\xa1B\x03";
    assert_eq!(peer.request().await.payload(), &payload[..]);
    drop(call);
    let call = client.twelve(1, 2, 3, 4, 5, 6, 7, 8, 0.5, true, 'k', "l").start();
    let payload = b"\x8c\xa1a\x01\xa1b\x02\xa1c\x03\xa1d\x04\xa1e\x05\xa1f\x06\xa1g\x07\xa1h\x08\
        \xa1i\xcb\x3f\xe0\0\0\0\0\0\0\xa1j\xc3\xa1k\xa1k\xa1l\xa1l";
    assert_eq!(peer.request().await.payload(), &payload[..]);
    drop(call);
}

#[cfg(feature = "json")]
#[tokio::test]
async fn the_arguments_are_written_as_go_writes_json() {
    let (network, mut peers) = FakeNetwork::new();
    let client = scripted(&network);
    let calls = [(client.zero().codec(SerializeType::JSON).start(), "{}")];
    let mut peer = peers.accept().await;
    for (call, payload) in calls {
        assert_eq!(peer.request().await.payload(), payload.as_bytes());
        drop(call);
    }
    let call = client.two(7, "x\"").codec(SerializeType::JSON).start();
    assert_eq!(peer.request().await.payload(), &br#"{"A":7,"Text":"x\""}"#[..]);
    drop(call);
    let call = client.owned(args(2, 3)).codec(SerializeType::JSON).start();
    assert_eq!(peer.request().await.payload(), &br#"{"A":2,"B":3}"#[..]);
    drop(call);
}

#[tokio::test]
async fn a_call_and_a_started_call_write_the_same_bytes() {
    let (network, mut peers) = FakeNetwork::new();
    let client = scripted(&network);
    let started = client.two(7, "x").start();
    let mut peer = peers.accept().await;
    let first = peer.request().await;
    drop(started);
    let mut awaited = client.two(7, "x").into_future();
    assert!(support::is_pending(&mut awaited).await);
    let second = peer.request().await;
    assert_eq!(first.payload(), second.payload());
    // The header's first four bytes: everything but the number of the call.
    assert_eq!(first.as_bytes()[..4], second.as_bytes()[..4]);
}

#[tokio::test]
async fn missing_and_unknown_fields_of_several_arguments() {
    let address = "memory@calls-fields";
    serve(Server::new().add(FormsServer::new(Service)), address).await;
    let channel = Channel::connect_to(address).await.unwrap();
    let other = OtherFormsClient::new(channel);
    // `number` is missing and an `Option`; `more` is unknown.
    let reply = other.three(&[], args(2, 3), "more").await.unwrap();
    assert_eq!(reply, "None [] 2 3");
    // `Text` is missing and no `Option`.
    let error = other.two(7, 8).await.unwrap_err();
    assert!(matches!(&error, Error::Service(text) if text.contains("`Text`")), "{error:?}");
}

/// The same service as a client of another version knows it.
#[rpcx::service]
#[rpcx(name = "Forms", server = false)]
trait OtherForms {
    async fn three(&self, names: &[String], args: Args, more: &str) -> Result<String>;
    async fn two(&self, #[rpcx(name = "A")] a: i64, b: i64) -> Result<String>;
}

#[cfg(feature = "protobuf")]
mod protobuf {
    use serde::{Deserialize, Serialize};

    use super::*;

    /// Only a protobuf message.
    #[derive(Clone, PartialEq, prost::Message)]
    struct ProtoArgs {
        #[prost(int32, tag = "1")]
        a: i32,
        #[prost(int32, tag = "2")]
        b: i32,
    }

    /// A protobuf message and a serde type.
    #[derive(Clone, Deserialize, PartialEq, Serialize, prost::Message)]
    struct Both {
        #[prost(int32, tag = "1")]
        #[serde(rename = "C")]
        c: i32,
    }

    #[rpcx::service]
    #[rpcx(codec = "protobuf")]
    trait Proto {
        async fn mul(&self, args: ProtoArgs) -> Result<Both>;
        async fn sub(&self, args: &ProtoArgs) -> Result<Both>;
        async fn same(&self, both: Both) -> Result<Both>;
        async fn nothing(&self) -> Result<()>;
    }

    #[rpcx::service]
    trait Plain {
        async fn same(&self, both: Both) -> Result<Both>;
        async fn nothing(&self) -> Result<()>;
        async fn serde_only(&self, args: Args) -> Result<Reply>;
    }

    impl Proto for Service {
        async fn mul(&self, args: ProtoArgs) -> Result<Both> {
            Ok(Both { c: args.a * args.b })
        }

        async fn sub(&self, args: &ProtoArgs) -> Result<Both> {
            Ok(Both { c: args.a - args.b })
        }

        async fn same(&self, both: Both) -> Result<Both> {
            Ok(both)
        }

        async fn nothing(&self) -> Result<()> {
            Ok(())
        }
    }

    impl Plain for Service {
        async fn same(&self, both: Both) -> Result<Both> {
            Ok(both)
        }

        async fn nothing(&self) -> Result<()> {
            Ok(())
        }

        async fn serde_only(&self, args: Args) -> Result<Reply> {
            Ok(Reply { c: args.a })
        }
    }

    async fn channel(name: &str) -> Channel {
        let server = Server::new().add(ProtoServer::new(Service)).add(PlainServer::new(Service));
        Channel::connect_to(&serve(server, name).await).await.unwrap()
    }

    #[tokio::test]
    async fn a_protobuf_service_takes_and_gives_messages() {
        for address in ["tcp@127.0.0.1:0", "memory@calls-proto"] {
            let client = ProtoClient::new(channel(address).await);
            let proto = ProtoArgs { a: 7, b: -3 };
            assert_eq!(client.mul(&proto).await.unwrap(), Both { c: -21 });
            assert_eq!(client.sub(&proto).await.unwrap(), Both { c: 10 });
            assert_eq!(client.same(Both { c: 0 }).await.unwrap(), Both { c: 0 });
        }
    }

    #[tokio::test]
    async fn a_method_without_arguments_of_a_protobuf_service() {
        let client = ProtoClient::new(channel("memory@calls-proto-nothing").await);
        client.nothing().await.unwrap();
    }

    #[tokio::test]
    async fn a_method_without_arguments_of_another_service_in_protobuf() {
        let client = PlainClient::new(channel("memory@calls-plain-nothing").await);
        client.nothing().codec(SerializeType::PROTOBUF).await.unwrap();
    }

    #[tokio::test]
    async fn a_type_that_is_both_is_answered_in_either() {
        let channel = channel("memory@calls-both").await;
        let (proto, plain) = (ProtoClient::new(channel.clone()), PlainClient::new(channel));
        for codec in [SerializeType::PROTOBUF, SerializeType::MSGPACK, SerializeType::JSON] {
            let both = Both { c: 7 };
            assert_eq!(proto.same(&both).codec(codec).await.unwrap(), both);
            assert_eq!(plain.same(&both).codec(codec).await.unwrap(), both);
        }
    }

    #[tokio::test]
    async fn a_type_that_is_one_has_no_form_in_the_other() {
        let channel = channel("memory@calls-one").await;
        let (proto, plain) = (ProtoClient::new(channel.clone()), PlainClient::new(channel));
        let call = proto.mul(ProtoArgs { a: 1, b: 1 }).codec(SerializeType::MSGPACK);
        assert!(matches!(call.await, Err(Error::Encode(_))));
        let call = plain.serde_only(args(1, 1)).codec(SerializeType::PROTOBUF);
        assert!(matches!(call.await, Err(Error::Encode(_))));
    }

    #[tokio::test]
    async fn protobuf_is_written_as_protobuf() {
        let (network, mut peers) = FakeNetwork::new();
        let builder = ProtoClient::builder().connector(network.clone());
        let client = builder.connect_lazily(ADDRESS).unwrap();
        let call = client.mul(ProtoArgs { a: 7, b: 1 }).start();
        let request = peers.accept().await.request().await;
        assert_eq!(request.header().serialize_type(), SerializeType::PROTOBUF);
        assert_eq!(request.payload(), &b"\x08\x07\x10\x01"[..]);
        drop(call);
    }
}
