//! How a server serves calls when all goes well.

mod support;

use std::collections::BTreeMap;

use rpcx::context::PushError;
use rpcx::protocol::{
    Compression, CompressionError, Compressor, Compressors, Gzip, Header, Kind, Limits, Message,
    SerializeType, Status,
};
use rpcx::{Bytes, Context, Metadata, Result, Server};
use serde::Serialize;

use support::{
    Answer, Args, Event, Frame, MetaReply, Nothing, Raw, Running, Tester, Text, memory_address,
    pack, soon, unpack,
};

/// Tells what a handler can see, and uses what it can do.
#[rpcx::service]
trait Inspect {
    /// Gives the milliseconds until the deadline.
    async fn remaining(&self, context: &Context) -> Result<Option<u64>>;

    /// Gives path, method, and whether there is a peer's address.
    #[rpcx(alias = ["Who"])]
    async fn names(&self, context: &Context) -> Result<(String, String, bool)>;

    /// Sets response metadata under rpcx's own key, and twice under another.
    async fn reserved(&self, context: &Context) -> Result<()>;

    /// Tries pushes of these many bytes; gives what became of each.
    async fn push(&self, context: &Context, lengths: Vec<usize>) -> Result<Vec<String>>;
}

struct Inspector;

impl Inspect for Inspector {
    async fn remaining(&self, context: &Context) -> Result<Option<u64>> {
        Ok(context.remaining().map(|left| u64::try_from(left.as_millis()).unwrap()))
    }

    async fn names(&self, context: &Context) -> Result<(String, String, bool)> {
        let path = context.service_path().into_owned();
        Ok((path, context.service_method().into_owned(), context.peer().is_some()))
    }

    async fn reserved(&self, context: &Context) -> Result<()> {
        context.set_response_metadata("__rpcx_error__", "not an error");
        context.set_response_metadata("k", "first");
        context.set_response_metadata("k", "second");
        Ok(())
    }

    async fn push(&self, context: &Context, lengths: Vec<usize>) -> Result<Vec<String>> {
        let pusher = context.pusher().unwrap();
        let push = |length: usize| match pusher.send("p", "m", &Metadata::new(), vec![0; length]) {
            Ok(()) => "sent".to_owned(),
            Err(error) => format!("{error:?}"),
        };
        Ok(lengths.into_iter().map(push).collect())
    }
}

fn inspect<T: Serialize>(method: &str, argument: &T) -> Frame {
    Frame { path: b"Inspect".to_vec(), ..Frame::call(1, method, argument) }
}

async fn inspector(server: Server) -> (Running, Raw) {
    let running = Running::in_memory(server.add(InspectServer::new(Inspector))).await;
    let raw = Raw::connect(running.address()).await;
    (running, raw)
}

async fn arith() -> (Running, Raw) {
    let running = Running::in_memory(Server::new().add(Tester::service())).await;
    let raw = Raw::connect(running.address()).await;
    (running, raw)
}

fn wait(seq: u64, name: &str) -> Frame {
    Frame::call(seq, "Wait", &Text::new(name))
}

fn waited(seq: u64, name: &str) -> Answer {
    Answer::ok(seq, pack(&Text::new(name)))
}

#[tokio::test(start_paused = true)]
async fn answers_leave_in_the_order_in_which_calls_end() {
    let (service, mut probe) = Tester::gated();
    let running = Running::in_memory(Server::new().add(service)).await;
    let mut raw = Raw::connect(running.address()).await;
    for (seq, name) in [(1, "a"), (2, "b"), (3, "c")] {
        raw.send(&wait(seq, name)).await;
        assert_eq!(probe.event().await, Event::started(name));
    }
    raw.expect_serves().await;
    for (seq, name) in [(3, "c"), (1, "a"), (2, "b")] {
        probe.open(name);
        assert_eq!(raw.answer().await, waited(seq, name));
    }
}

#[tokio::test(start_paused = true)]
async fn many_calls_in_one_write_are_all_answered_in_order() {
    let (_running, mut raw) = arith().await;
    let calls: Vec<u8> = (0..1500).flat_map(|seq| Frame::mul(seq).encode()).collect();
    raw.send_bytes(&calls).await;
    for seq in 0..1500 {
        assert_eq!(raw.answer().await, Answer::forty_two(seq));
    }
}

#[tokio::test(start_paused = true)]
async fn every_sequence_number_is_answered_however_often_it_comes() {
    let (_running, mut raw) = arith().await;
    for seq in [0, 0, 1 << 63, u64::MAX, 0] {
        raw.send(&Frame::mul(seq)).await;
    }
    for seq in [0, 0, 1 << 63, u64::MAX, 0] {
        assert_eq!(raw.answer().await, Answer::forty_two(seq));
    }
}

#[tokio::test(start_paused = true)]
async fn a_response_has_the_requests_header_with_a_clean_status() {
    let (_running, mut raw) = arith().await;
    // A response by its type bit, version 200, status 3, reserved bits 6: served all the same.
    let mut frame = Frame::mul(77).metadata("k", "v");
    let mut header = frame.header.encode();
    header[1..4].copy_from_slice(&[200, 0x83, 0x36]);
    frame.header = Header::decode(header).unwrap();
    raw.send(&frame).await;
    let reply = raw.message().await;
    assert_eq!(reply.header().encode(), [8, 200, 0x80, 0x36, 0, 0, 0, 0, 0, 0, 0, 77]);
    assert_eq!(reply.service_path(), b"Arith");
    assert_eq!(reply.service_method(), b"Mul");
    assert_eq!(Answer::of(&reply), Answer::forty_two(77));

    frame.method = b"Nope".to_vec();
    raw.send(&frame).await;
    let error = raw.message().await;
    assert_eq!(error.header().encode(), [8, 200, 0x81, 0x36, 0, 0, 0, 0, 0, 0, 0, 77]);
    assert_eq!(error.service_path(), b"Arith");
    assert_eq!(error.service_method(), b"Nope");
}

#[tokio::test(start_paused = true)]
async fn a_reply_has_the_requests_codec() {
    let (_running, mut raw) = arith().await;
    let json = Frame { payload: br#"{"A":6,"B":7}"#.to_vec(), ..Frame::mul(1) };
    assert_eq!(raw.call(&json.codec(SerializeType::JSON)).await, Answer::ok(1, br#"{"C":42}"#));
    assert_eq!(raw.call(&Frame::echo(2, b"\xff\x00")).await, Answer::ok(2, b"\xff\x00"));
}

#[tokio::test]
async fn a_handler_knows_names_and_peer() {
    for (address, has_peer) in [(support::TCP, true), (&memory_address(), false)] {
        let server = Server::new().add(InspectServer::new(Inspector));
        let running = Running::at(address, server).await;
        let mut raw = Raw::connect(running.address()).await;
        for method in ["Names", "Who"] {
            let answer = raw.call(&inspect(method, &Nothing {})).await;
            let names: (String, String, bool) = unpack(&answer.result.unwrap());
            assert_eq!(names, ("Inspect".to_owned(), method.to_owned(), has_peer));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_deadline_is_what_the_caller_says_in_milliseconds() {
    let (_running, mut raw) = inspector(Server::new()).await;
    for (value, expected) in [
        ("250", Some(250)),
        ("1", Some(1)),
        ("+5", Some(5)),
        ("9223372036854775807", Some(i64::MAX.unsigned_abs())),
        ("", None),
        ("soon", None),
        ("1.5", None),
        (" 5", None),
        ("5 ", None),
        ("0x10", None),
        ("1_000", None),
        ("9223372036854775808", None),
        ("99999999999999999999999999", None),
    ] {
        let call = inspect("Remaining", &Nothing {}).metadata("__ServerTimeout", value);
        let answer = raw.call(&call).await;
        assert_eq!(unpack::<Option<u64>>(&answer.result.unwrap()), expected, "{value:?}");
    }
    let answer = raw.call(&inspect("Remaining", &Nothing {})).await;
    assert_eq!(unpack::<Option<u64>>(&answer.result.unwrap()), None);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_late_is_dropped_and_answered() {
    let (service, mut probe) = Tester::gated();
    let running = Running::in_memory(Server::new().add(service)).await;
    let mut raw = Raw::connect(running.address()).await;
    let begun = tokio::time::Instant::now();
    let late = raw.call(&wait(1, "late").metadata("__ServerTimeout", "250")).await;
    assert_eq!(late, Answer::error(1, "context deadline exceeded"));
    assert_eq!(begun.elapsed().as_millis(), 250);
    assert_eq!(probe.seen(), [Event::started("late"), Event::dropped("late")]);
    raw.expect_serves().await;
}

#[tokio::test(start_paused = true)]
async fn a_call_within_its_far_deadline_is_answered() {
    let (service, mut probe) = Tester::gated();
    let running = Running::in_memory(Server::new().add(service)).await;
    let mut raw = Raw::connect(running.address()).await;
    raw.send(&wait(1, "far").metadata("__ServerTimeout", "9223372036854775807")).await;
    assert_eq!(probe.event().await, Event::started("far"));
    probe.open("far");
    assert_eq!(raw.answer().await, waited(1, "far"));
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_deadline_is_over_does_not_run() {
    let (service, mut probe) = Tester::gated();
    let running = Running::in_memory(Server::new().add(service)).await;
    let mut raw = Raw::connect(running.address()).await;
    for value in ["0", "-1", "-9223372036854775808"] {
        let answer = raw.call(&wait(1, "never").metadata("__ServerTimeout", value)).await;
        assert_eq!(answer, Answer::refused(1, "context deadline exceeded"), "{value:?}");
    }
    assert_eq!(probe.seen(), []);
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_comes_back_byte_for_byte() {
    let (_running, mut raw) = arith().await;
    // Empty; with the one-way bit; and with names, metadata, a status, a compressor and a codec
    // that nobody has, and a payload that nobody could read.
    let named = Frame::mul(9).metadata("__AUTH", "x").metadata("__ServerTimeout", "0");
    let mut odd = Frame { payload: b"\xc1\xc1".to_vec(), ..named };
    let mut header = odd.header.encode();
    header[1..4].copy_from_slice(&[3, 0x40 | 0x20 | 7 << 2 | 3, 0xf9]);
    odd.header = Header::decode(header).unwrap();
    let empty = Frame { path: Vec::new(), method: Vec::new(), ..Frame::mul(0) };
    let mut empty = Frame { payload: Vec::new(), ..empty };
    empty.header = empty.header.with_heartbeat();
    for frame in [empty.clone(), empty.oneway(), odd] {
        raw.send(&frame).await;
        let mut expected = frame.encode();
        expected[2] |= 0x80;
        assert_eq!(raw.message().await.as_bytes(), expected);
    }
    raw.expect_serves().await;
}

#[tokio::test(start_paused = true)]
async fn a_oneway_call_is_never_answered_whatever_becomes_of_it() {
    let (_running, mut raw) = arith().await;
    let broken = Frame { payload: vec![0xc1], ..Frame::mul(1) };
    for frame in [
        Frame::mul(1),
        Frame::call(1, "Error", &Text::new("failed")),
        Frame { path: b"Nope".to_vec(), ..Frame::mul(1) },
        Frame { method: b"Nope".to_vec(), ..Frame::mul(1) },
        Frame::mul(1).compressed(Compression::from_id(7)),
        Frame::mul(1).metadata("__ServerTimeout", "0"),
        Frame::call(1, "Panic", &Text::new("failed")),
        broken,
    ] {
        raw.send(&frame.oneway()).await;
    }
    raw.expect_serves().await;
    raw.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn a_oneway_call_runs_though_the_client_has_left() {
    let (service, mut probe) = Tester::gated();
    let running = Running::in_memory(Server::new().add(service)).await;
    // One that the server has begun, and one that it has yet to read.
    let mut raw = Raw::connect(running.address()).await;
    raw.send(&wait(1, "begun").oneway()).await;
    assert_eq!(probe.event().await, Event::started("begun"));
    raw.send(&wait(2, "unread").oneway()).await;
    drop(raw);
    assert_eq!(probe.event().await, Event::started("unread"));
    Raw::connect(running.address()).await.expect_serves().await;
    probe.open("begun");
    assert_eq!(probe.event().await, Event::finished("begun"));
    probe.open("unread");
    assert_eq!(probe.event().await, Event::finished("unread"));
}

#[tokio::test(start_paused = true)]
async fn a_oneway_call_has_a_deadline_too() {
    let (service, mut probe) = Tester::gated();
    let running = Running::in_memory(Server::new().add(service)).await;
    let mut raw = Raw::connect(running.address()).await;
    raw.send(&wait(1, "late").oneway().metadata("__ServerTimeout", "50")).await;
    assert_eq!(probe.event().await, Event::started("late"));
    assert_eq!(probe.event().await, Event::dropped("late"));
    raw.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn metadata_travels_both_ways_without_rpcxs_own_keys() {
    let (_running, mut raw) = arith().await;
    let call = Frame::call(1, "Meta", &Nothing {})
        .metadata("trace", "17")
        .metadata("__AUTH", "canary")
        .metadata("", "empty key")
        .metadata("ключ", "значение")
        .metadata("trace", "18")
        .metadata("__ServerTimeout", "1000");
    let pairs = [("trace", "18"), ("", "empty key"), ("ключ", "значение")];
    let text = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    let seen = MetaReply { meta: pairs.map(text).into() };
    let mut expected = Answer::ok(1, pack(&seen));
    expected.metadata = pairs.map(|(key, value)| (format!("echo-{key}"), value.to_owned())).into();
    assert_eq!(raw.call(&call).await, expected);
}

#[tokio::test(start_paused = true)]
async fn response_metadata_comes_with_errors_too() {
    let (_running, mut raw) = arith().await;
    let call = Frame::call(1, "Meta", &Nothing {}).metadata("fail", "no stock");
    let mut expected = Answer::error(1, "no stock");
    expected.metadata = BTreeMap::from([("echo-fail".to_owned(), "no stock".to_owned())]);
    assert_eq!(raw.call(&call).await, expected);
}

#[tokio::test(start_paused = true)]
async fn an_error_has_exactly_the_services_text() {
    let (_running, mut raw) = arith().await;
    for text in ["out of stock", "", "several\nlines", "ошибка", "__rpcx_error__"] {
        let answer = raw.call(&Frame::call(1, "Error", &Text::new(text))).await;
        assert_eq!(answer, Answer::error(1, text));
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_cannot_set_the_error_key() {
    let (_running, mut raw) = inspector(Server::new()).await;
    let mut expected = Answer::ok(1, pack(&()));
    expected.metadata = BTreeMap::from([("k".to_owned(), "second".to_owned())]);
    assert_eq!(raw.call(&inspect("Reserved", &Nothing {})).await, expected);
}

/// Sends an echo of so many bytes and gives the response.
async fn echo(raw: &mut Raw, length: usize, compression: Option<Compression>) -> Message {
    let data = vec![7; length];
    let frame = match compression {
        Some(Compression::GZIP) => Frame::echo(1, Gzip::default().compress(&data).unwrap()),
        _ => Frame::echo(1, data),
    };
    raw.send(&frame.compressed(compression.unwrap_or(Compression::NONE))).await;
    raw.message().await
}

#[tokio::test(start_paused = true)]
async fn a_reply_is_compressed_if_the_request_was_and_it_is_longer_than_1024_bytes() {
    let (_running, mut raw) = arith().await;
    for (request, length, response) in [
        (Some(Compression::GZIP), 0, Compression::NONE),
        (Some(Compression::GZIP), 1024, Compression::NONE),
        (Some(Compression::GZIP), 1025, Compression::GZIP),
        (Some(Compression::GZIP), 100_000, Compression::GZIP),
        (None, 1025, Compression::NONE),
        (None, 100_000, Compression::NONE),
    ] {
        let reply = echo(&mut raw, length, request).await;
        assert_eq!(reply.header().status(), Status::Normal);
        assert_eq!(reply.header().compression(), response, "{request:?}, {length} bytes");
        let payload = match response {
            Compression::GZIP => Gzip::default().decompress(&reply.payload(), length).unwrap(),
            _ => reply.payload().to_vec(),
        };
        assert_eq!(payload, vec![7; length]);
    }
}

/// Turns every bit around.
#[derive(Debug)]
struct Inverse;

impl Compressor for Inverse {
    fn compress(&self, data: &[u8]) -> std::result::Result<Vec<u8>, CompressionError> {
        Ok(data.iter().map(|byte| !byte).collect())
    }

    fn decompress(&self, data: &[u8], _: usize) -> std::result::Result<Vec<u8>, CompressionError> {
        self.compress(data)
    }
}

#[tokio::test(start_paused = true)]
async fn a_compressor_of_the_users_serves_both_ways() {
    let id = Compression::from_id(3);
    let compressors = Compressors::default().register(id, Inverse);
    let server = Server::new().add(Tester::service()).compressors(compressors);
    let running = Running::in_memory(server).await;
    let mut raw = Raw::connect(running.address()).await;
    let reply = echo(&mut raw, 1025, Some(id)).await;
    assert_eq!(reply.header().compression(), id);
    assert_eq!(reply.payload(), vec![7; 1025]);
    let reply = echo(&mut raw, 1024, Some(id)).await;
    assert_eq!(reply.header().compression(), Compression::NONE);
    assert_eq!(reply.payload(), vec![!7; 1024]);
}

#[tokio::test(start_paused = true)]
async fn pushes_arrive_in_order_and_before_the_reply_that_follows_them() {
    let (_running, mut raw) = arith().await;
    for (seq, first) in [(1, 1), (2, 6)] {
        raw.send(&Frame::call(seq, "Push", &Args { a: 5, b: 0 })).await;
        for number in 0..5_u64 {
            let push = raw.message().await;
            assert_eq!(push.header().kind(), Kind::Request);
            assert!(push.header().is_oneway());
            assert!(!push.header().is_heartbeat());
            assert_eq!(push.header().seq(), first + number);
            assert_eq!(push.header().serialize_type(), SerializeType::RAW);
            assert_eq!(push.service_path(), b"push");
            assert_eq!(push.service_method(), b"note");
            let n = number.to_string();
            assert_eq!(push.pairs().collect::<Vec<_>>(), [(&b"n"[..], n.as_bytes())]);
            assert_eq!(push.payload(), format!("note-{number}"));
        }
        assert_eq!(raw.answer().await, Answer::ok(seq, b"\x81\xa1C\x05"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_push_has_to_fit_into_the_message_limit() {
    let limits = Limits::default().max_message(1000);
    let (_running, mut raw) = inspector(Server::new().limits(limits)).await;
    // Two names of one byte and four lengths.
    let fits = 1000 - 2 - 16;
    raw.send(&inspect("Push", &[fits, fits + 1])).await;
    assert_eq!(raw.message().await.payload().len(), fits);
    let answer = raw.answer().await;
    assert_eq!(unpack::<Vec<String>>(&answer.result.unwrap()), ["sent", "TooLarge"]);
}

#[tokio::test(start_paused = true)]
async fn a_push_is_refused_while_four_mebibytes_wait() {
    let (_running, mut raw) = inspector(Server::new()).await;
    raw.send(&inspect("Push", &[4 << 20, 1, 1])).await;
    for length in [4 << 20] {
        assert_eq!(raw.message().await.payload().len(), length);
    }
    let answer = raw.answer().await;
    let sent = ["sent", "QueueFull", "QueueFull"];
    assert_eq!(unpack::<Vec<String>>(&answer.result.unwrap()), sent);
    raw.send(&inspect("Push", &[1])).await;
    assert_eq!(raw.message().await.payload().len(), 1);
}

/// Hands the connection's pusher to the test.
#[rpcx::service]
trait Lend {
    /// Lends it.
    async fn lend(&self, context: &Context) -> Result<()>;
}

struct Lender(tokio::sync::mpsc::UnboundedSender<rpcx::context::Pusher>);

impl Lend for Lender {
    async fn lend(&self, context: &Context) -> Result<()> {
        self.0.send(context.pusher().unwrap()).unwrap();
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_pusher_outlives_its_call_and_learns_that_the_connection_is_closed() {
    let (sender, mut pushers) = tokio::sync::mpsc::unbounded_channel();
    let (service, mut probe) = Tester::gated();
    let server = Server::new().add(LendServer::new(Lender(sender))).add(service);
    let running = Running::in_memory(server).await;
    let mut raw = Raw::connect(running.address()).await;
    let lend = Frame { path: b"Lend".to_vec(), ..Frame::call(1, "Lend", &Nothing {}) };
    assert_eq!(raw.call(&lend).await, Answer::ok(1, pack(&())));
    let pusher = soon(pushers.recv()).await.unwrap();
    let push = || pusher.send("p", "m", &Metadata::new(), "news");
    assert_eq!(push(), Ok(()));
    assert_eq!(raw.message().await.payload(), "news");
    // The waiting call's drop tells that the server has noticed.
    raw.send(&wait(2, "left")).await;
    assert_eq!(probe.event().await, Event::started("left"));
    drop(raw);
    assert_eq!(probe.event().await, Event::dropped("left"));
    Raw::connect(running.address()).await.expect_silence().await;
    assert_eq!(push(), Err(PushError::Closed));
}

#[tokio::test(start_paused = true)]
async fn calls_beyond_max_in_flight_start_only_when_one_ends() {
    let (service, mut probe) = Tester::gated();
    let running = Running::in_memory(Server::new().add(service).max_in_flight(2)).await;
    let mut raw = Raw::connect(running.address()).await;
    let frames = [wait(1, "a"), wait(2, "b"), wait(3, "c"), wait(4, "d"), Frame::mul(5)];
    raw.send_bytes(&frames.map(|frame| frame.encode()).concat()).await;
    assert_eq!(probe.event().await, Event::started("a"));
    assert_eq!(probe.event().await, Event::started("b"));
    raw.expect_silence().await;
    assert_eq!(probe.seen(), []);
    // Each connection has a limit of its own.
    Raw::connect(running.address()).await.expect_serves().await;

    probe.open("b");
    assert_eq!(raw.answer().await, waited(2, "b"));
    assert_eq!(probe.event().await, Event::finished("b"));
    assert_eq!(probe.event().await, Event::started("c"));
    raw.expect_silence().await;
    assert_eq!(probe.seen(), []);

    for name in ["a", "c", "d"] {
        probe.open(name);
    }
    let mut answers = Vec::new();
    for _ in 0..4 {
        answers.push(raw.answer().await);
    }
    answers.sort_by_key(|answer| answer.seq);
    let expected = [waited(1, "a"), waited(3, "c"), waited(4, "d"), Answer::forty_two(5)];
    assert_eq!(answers, expected);
}

#[tokio::test(start_paused = true)]
async fn oneway_calls_count_against_max_in_flight() {
    let (service, mut probe) = Tester::gated();
    let running = Running::in_memory(Server::new().add(service).max_in_flight(1)).await;
    let mut raw = Raw::connect(running.address()).await;
    raw.send(&wait(1, "oneway").oneway()).await;
    assert_eq!(probe.event().await, Event::started("oneway"));
    raw.send(&Frame::mul(2)).await;
    raw.expect_silence().await;
    probe.open("oneway");
    assert_eq!(raw.answer().await, Answer::forty_two(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_waits_for_a_oneway_call_starts_whenever_that_ends() {
    let (service, mut probe) = Tester::gated();
    let running = Running::in_memory(Server::new().add(service).max_in_flight(1)).await;
    let mut raw = Raw::connect(running.address()).await;
    for number in 0..1000 {
        let name = number.to_string();
        raw.send(&wait(0, &name).oneway()).await;
        assert_eq!(probe.event().await, Event::started(&name));
        // The server reads this call just while the other ends.
        raw.send(&Frame::mul(1)).await;
        probe.open(&name);
        assert_eq!(raw.answer().await, Answer::forty_two(1));
        assert_eq!(probe.event().await, Event::finished(&name));
    }
}

#[tokio::test(start_paused = true)]
async fn a_large_argument_and_a_large_reply_pass() {
    let (_running, mut raw) = arith().await;
    let data: Vec<u8> = (0..5_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let frame = Frame::echo(1, data.clone()).encode();
    // Both directions at once, and small calls around it.
    raw.send(&Frame::mul(0)).await;
    raw.send_bytes(&frame).await;
    raw.send(&Frame::mul(2)).await;
    assert_eq!(raw.answer().await, Answer::forty_two(0));
    let echo = raw.answer().await;
    assert!(echo == Answer::ok(1, data), "the bytes are others");
    assert_eq!(raw.answer().await, Answer::forty_two(2));
}

#[tokio::test]
async fn every_transport_serves() {
    let socket = std::env::temp_dir().join(format!("rpcx-calls-{}.sock", std::process::id()));
    for address in [support::TCP, &memory_address(), &format!("unix@{}", socket.display())] {
        let running = Running::at(address, Server::new().add(Tester::service())).await;
        let mut raw = Raw::connect(running.address()).await;
        let mut calls = Frame::mul(1).encode();
        calls.extend(Frame::echo(2, vec![3; 200_000]).encode());
        raw.send_bytes(&calls).await;
        assert_eq!(raw.answer().await, Answer::forty_two(1));
        assert_eq!(raw.answer().await, Answer::ok(2, vec![3; 200_000]));
        soon(running.stop()).await.unwrap();
        raw.expect_end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_connections_on_several_threads_get_each_its_own_answers() {
    let running = Running::on_tcp(Server::new().add(Tester::service())).await;
    let clients = (0..20_u8).map(|client| {
        let address = running.address().to_owned();
        tokio::spawn(async move {
            let mut raw = Raw::connect(&address).await;
            for seq in 0..100 {
                let data = vec![client; 100 * usize::from(client)];
                assert_eq!(raw.call(&Frame::echo(seq, data.clone())).await, Answer::ok(seq, data));
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        soon(client).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_payload_of_bytes_in_messagepack_comes_back() {
    let (_running, mut raw) = arith().await;
    let data = Bytes::from(vec![9; 30_000]);
    let frame = Frame::call(1, "Echo", &data);
    assert_eq!(raw.call(&frame).await, Answer::ok(1, pack(&data)));
}
