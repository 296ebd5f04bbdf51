//! What a server answers when something goes wrong, and what goes on working.

mod support;

use std::time::Duration;

use rpcx::protocol::{
    Compression, CompressionError, Compressor, Compressors, Gzip, Limits, SerializeType,
};
use rpcx::{Bytes, Context, Error, Result, Server};
use serde::ser::{Serialize, SerializeSeq as _, Serializer};
use serde::{Deserialize, Deserializer};

use support::{Answer, Event, Frame, Gate, Nothing, Probe, Raw, Running, Tester, Text, pack};

/// Methods that go wrong.
#[rpcx::service]
trait Faulty {
    /// Panics before it waits for anything.
    async fn panic_at_once(&self, secret: String) -> Result<()>;

    /// Panics behind its gate.
    async fn panic_later(&self, secret: String) -> Result<()>;

    /// Has a local whose drop panics.
    async fn panic_in_drop(&self, secret: String) -> Result<()>;

    /// Is dropped, at its deadline, with a local whose drop panics.
    async fn panic_in_drop_at_deadline(&self, secret: String) -> Result<()>;

    /// Takes what cannot be decoded.
    async fn panic_in_deserialize(&self, bomb: Bomb) -> Result<()>;

    /// Gives what cannot be encoded.
    async fn panic_in_serialize(&self, secret: String) -> Result<Bomb>;

    /// Gives a reply whose drop panics.
    async fn panic_in_drop_of_reply(&self, secret: String) -> Result<DropBomb>;

    /// Gives the data twice.
    async fn double(&self, data: Bytes) -> Result<Bytes>;

    /// Fails with a text of that many bytes, beside a pair of metadata.
    async fn fail(&self, context: &Context, length: usize) -> Result<()>;
}

struct Faults {
    gate: Gate,
}

impl Faulty for Faults {
    async fn panic_at_once(&self, secret: String) -> Result<()> {
        panic!("boom: {secret}")
    }

    async fn panic_later(&self, secret: String) -> Result<()> {
        self.gate.pass("later").await;
        panic!("boom: {secret}")
    }

    async fn panic_in_drop(&self, secret: String) -> Result<()> {
        let _bomb = DropBomb(secret);
        Ok(())
    }

    async fn panic_in_drop_at_deadline(&self, secret: String) -> Result<()> {
        let _bomb = DropBomb(secret);
        std::future::pending().await
    }

    async fn panic_in_deserialize(&self, _: Bomb) -> Result<()> {
        Ok(())
    }

    async fn panic_in_serialize(&self, secret: String) -> Result<Bomb> {
        Ok(Bomb(secret))
    }

    async fn panic_in_drop_of_reply(&self, secret: String) -> Result<DropBomb> {
        Ok(DropBomb(secret))
    }

    async fn double(&self, data: Bytes) -> Result<Bytes> {
        Ok([&data[..], &data[..]].concat().into())
    }

    async fn fail(&self, context: &Context, length: usize) -> Result<()> {
        context.set_response_metadata("k", "v");
        Err(Error::service("x".repeat(length)))
    }
}

/// Panics in the middle of being written, and while it is read.
struct Bomb(String);

impl Serialize for Bomb {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut items = serializer.serialize_seq(Some(3))?;
        items.serialize_element(&self.0)?;
        panic!("boom: {}", self.0)
    }
}

impl<'de> Deserialize<'de> for Bomb {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let secret = String::deserialize(deserializer)?;
        panic!("boom: {secret}")
    }
}

/// Panics when it is dropped.
#[derive(Deserialize, serde::Serialize)]
struct DropBomb(String);

impl Drop for DropBomb {
    fn drop(&mut self) {
        panic!("boom: {}", self.0)
    }
}

/// Both services of these tests, and the test's sides of their gates.
fn services() -> (Server, Probe, Probe) {
    let (gate, faulty) = Probe::new();
    let (arith, arith_probe) = Tester::gated();
    let server = Server::new().add(arith).add(FaultyServer::new(Faults { gate }));
    (server, arith_probe, faulty)
}

fn faulty(seq: u64, method: &str, argument: &impl Serialize) -> Frame {
    Frame { path: b"Faulty".to_vec(), ..Frame::call(seq, method, argument) }
}

/// Checks the whole text of a panic's error but for the incident's number.
fn assert_panicked(answer: &Answer, seq: u64) {
    let text = answer.result.as_ref().expect_err("a panic is an error");
    let number = text.strip_prefix("[service internal error]: the handler panicked, incident ");
    let number = number.unwrap_or_else(|| panic!("the text of a panic, found {text:?}"));
    assert!(number.parse::<u64>().is_ok(), "{text:?}");
    assert_eq!(answer.seq, seq);
    assert!(answer.metadata.is_empty());
}

#[tokio::test(start_paused = true)]
async fn unknown_names_and_codecs_have_gos_texts() {
    let running = Running::in_memory(Server::new().add(Tester::service())).await;
    let mut raw = Raw::connect(running.address()).await;
    let path = |path: &str| Frame { path: path.into(), ..Frame::mul(1) };
    let method = |method: &str| Frame { method: method.into(), ..Frame::mul(1) };
    let codec = |id| Frame::mul(1).codec(SerializeType::from_id(id));
    for (frame, text) in [
        (path("Nope"), "rpcx: can't find service Nope"),
        (path("arith"), "rpcx: can't find service arith"),
        (path(""), "rpcx: can't find service "),
        (Frame { method: Vec::new(), ..path("") }, "rpcx: can't find service "),
        (method("Nope"), "rpcx: can't find method Nope"),
        (method("mul"), "rpcx: can't find method mul"),
        (method("MUL"), "rpcx: can't find method MUL"),
        (method(""), "rpcx: can't find method "),
        (codec(9), "can not find codec for 9"),
        (codec(4), "can not find codec for 4"),
        (codec(15), "can not find codec for 15"),
    ] {
        assert_eq!(raw.call(&frame).await, Answer::error(1, text), "{frame:?}");
    }
    raw.expect_serves().await;
}

#[tokio::test(start_paused = true)]
async fn a_payload_that_does_not_decode_is_an_error_of_that_call() {
    let (service, mut probe) = Tester::gated();
    let running = Running::in_memory(Server::new().add(service)).await;
    let mut raw = Raw::connect(running.address()).await;
    let payload = |payload: &[u8]| Frame {
        payload: payload.to_vec(),
        ..Frame::call(1, "Wait", &Text::new("never"))
    };
    assert_eq!(raw.call(&payload(b"")).await, Answer::error(1, "EOF"));
    for bytes in [&b"\xc1"[..], b"\x81\xa3Msg", b"\x81\xa3Msg\x2a", b"\x80", &vec![0x91; 200_000]] {
        let answer = raw.call(&payload(bytes)).await;
        let text = answer.result.expect_err("the payload is broken");
        assert!(!text.is_empty());
        assert_eq!(answer.seq, 1);
    }
    raw.expect_serves().await;
    assert_eq!(probe.seen(), [], "the method did not run");
}

#[tokio::test(start_paused = true)]
async fn the_text_of_a_failed_decode_does_not_quote_the_payload() {
    let running = Running::in_memory(Server::new().add(Tester::service())).await;
    let mut raw = Raw::connect(running.address()).await;
    let frame = Frame::call(1, "Mul", &"canary-7");
    let text = raw.call(&frame).await.result.unwrap_err();
    assert!(!text.contains("canary"), "{text:?}");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_compressor_is_an_error_of_that_call() {
    let running = Running::in_memory(Server::new().add(Tester::service())).await;
    let mut raw = Raw::connect(running.address()).await;
    for id in 2..8 {
        let frame = Frame::mul(1).compressed(Compression::from_id(id));
        assert_eq!(raw.call(&frame).await, Answer::error(1, "unsupported compressor"));
    }
    raw.expect_serves().await;
}

#[tokio::test(start_paused = true)]
async fn a_payload_that_does_not_decompress_is_an_error_of_that_call() {
    let running = Running::in_memory(Server::new().add(Tester::service())).await;
    let mut raw = Raw::connect(running.address()).await;
    let whole = Gzip::default().compress(&Frame::mul(1).payload).unwrap();
    let mut bad_crc = whole.clone();
    let crc = bad_crc.len() - 8;
    bad_crc[crc] ^= 1;
    let cut = whole[..whole.len() - 1].to_vec();
    let trailing = [&whole[..], b"more"].concat();
    for payload in [bad_crc, cut, trailing, b"no gzip".to_vec(), Vec::new()] {
        let frame = Frame { payload, ..Frame::mul(1) }.compressed(Compression::GZIP);
        let answer = raw.call(&frame).await;
        let text = answer.result.expect_err("the stream is broken");
        assert!(text.starts_with("gzip: "), "{text:?}");
    }
    let frame = Frame { payload: whole, ..Frame::mul(1) }.compressed(Compression::GZIP);
    assert_eq!(raw.call(&frame).await, Answer::forty_two(1));
}

#[tokio::test(start_paused = true)]
async fn a_payload_beyond_the_decompressed_limit_is_an_error_of_that_call() {
    let limits = Limits::default().max_decompressed(1000);
    let running = Running::in_memory(Server::new().add(Tester::service()).limits(limits)).await;
    let mut raw = Raw::connect(running.address()).await;
    let gzipped = |length: usize| {
        let payload = Gzip::default().compress(&vec![0; length]).unwrap();
        Frame::echo(1, payload).compressed(Compression::GZIP)
    };
    assert_eq!(raw.call(&gzipped(1000)).await, Answer::ok(1, vec![0; 1000]));
    let too_long = Answer::error(1, "decompressed payload is longer than 1000 bytes");
    assert_eq!(raw.call(&gzipped(1001)).await, too_long);
    assert_eq!(raw.call(&gzipped(2 << 20)).await, too_long);
    raw.expect_serves().await;
}

#[tokio::test(start_paused = true)]
async fn a_reply_beyond_the_message_limit_is_an_error_of_that_call() {
    // Names, the four lengths, and the data twice; from 16 KiB on the reply is not copied.
    for length in [100, 10_000, 30_000] {
        let size = "Faulty".len() + "Double".len() + 16 + 2 * length;
        let frame = Frame { payload: vec![7; length], ..faulty(1, "Double", &()) };
        let frame = frame.codec(SerializeType::RAW);
        let limits = Limits::default().max_message(size);
        let running = Running::in_memory(services().0.limits(limits)).await;
        let mut raw = Raw::connect(running.address()).await;
        assert_eq!(raw.call(&frame).await, Answer::ok(1, vec![7; 2 * length]));

        let limits = Limits::default().max_message(size - 1);
        let running = Running::in_memory(services().0.limits(limits)).await;
        let mut raw = Raw::connect(running.address()).await;
        let limit = size - 1;
        let text = format!("the reply has {size} bytes, the server's limit is {limit}");
        assert_eq!(raw.call(&frame).await, Answer::error(1, &text));
        raw.expect_serves().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_beyond_the_message_limit_is_replaced() {
    let frame = |length: usize| faulty(1, "Fail", &length);
    // Names, four lengths, two pairs, and the text.
    let size = "FaultyFail".len() + 16 + (8 + 2) + (8 + "__rpcx_error__".len() + 200);
    let limits = Limits::default().max_message(size);
    let running = Running::in_memory(services().0.limits(limits)).await;
    let mut raw = Raw::connect(running.address()).await;
    let mut whole = Answer::error(1, &"x".repeat(200));
    whole.metadata.insert("k".into(), "v".into());
    assert_eq!(raw.call(&frame(200)).await, whole);
    let (size, limit) = (size + 1, size);
    let text = format!("the error has {size} bytes, the server's limit is {limit}");
    assert_eq!(raw.call(&frame(201)).await, Answer::error(1, &text));
    raw.expect_serves().await;
}

#[tokio::test(start_paused = true)]
async fn a_frame_beyond_the_message_limit_closes_that_connection_alone() {
    let limits = Limits::default().max_message(1000);
    let running = Running::in_memory(Server::new().add(Tester::service()).limits(limits)).await;
    let mut other = Raw::connect(running.address()).await;
    let mut raw = Raw::connect(running.address()).await;
    let fits = 1000 - "ArithEcho".len() - 16;
    assert_eq!(raw.call(&Frame::echo(1, vec![1; fits])).await, Answer::ok(1, vec![1; fits]));
    // The claim is enough: nothing more has to come.
    raw.send_bytes(&Frame::echo(2, vec![1; fits + 1]).encode()[..16]).await;
    raw.expect_end().await;
    other.expect_serves().await;
    Raw::connect(running.address()).await.expect_serves().await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_fails_its_call_alone() {
    let (server, mut arith, mut faults) = services();
    let running = Running::in_memory(server).await;
    let mut raw = Raw::connect(running.address()).await;
    raw.send(&Frame::call(1, "Wait", &Text::new("other"))).await;
    assert_eq!(arith.event().await, Event::started("other"));
    raw.send(&faulty(2, "PanicLater", &"canary")).await;
    assert_eq!(faults.event().await, Event::started("later"));
    for (seq, method) in
        [(3, "PanicAtOnce"), (4, "PanicInDrop"), (5, "PanicInSerialize"), (6, "PanicInDeserialize")]
    {
        assert_panicked(&raw.call(&faulty(seq, method, &"canary")).await, seq);
    }
    faults.open("later");
    assert_panicked(&raw.answer().await, 2);
    arith.open("other");
    assert_eq!(raw.answer().await, Answer::ok(1, pack(&Text::new("other"))));
    raw.expect_serves().await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_while_a_late_handler_is_dropped_fails_its_call_alone() {
    let (server, mut arith, _faults) = services();
    let running = Running::in_memory(server).await;
    let mut raw = Raw::connect(running.address()).await;
    raw.send(&Frame::call(1, "Wait", &Text::new("other"))).await;
    assert_eq!(arith.event().await, Event::started("other"));
    let late = faulty(2, "PanicInDropAtDeadline", &"canary").metadata("__ServerTimeout", "50");
    assert_panicked(&raw.call(&late).await, 2);
    arith.open("other");
    assert_eq!(raw.answer().await, Answer::ok(1, pack(&Text::new("other"))));
}

#[tokio::test(start_paused = true)]
async fn a_reply_whose_drop_panics_is_sent_once() {
    let running = Running::in_memory(services().0).await;
    let mut raw = Raw::connect(running.address()).await;
    let answer = raw.call(&faulty(1, "PanicInDropOfReply", &"reply")).await;
    assert_eq!(answer, Answer::ok(1, pack(&"reply")));
    raw.expect_silence().await;
    raw.expect_serves().await;
}

#[tokio::test(start_paused = true)]
async fn a_panicking_auth_hook_refuses_the_call() {
    let (service, mut probe) = Tester::gated();
    let server = Server::new().add(service).auth(|request| async move {
        assert_ne!(request.token(), "canary");
        Ok::<(), String>(())
    });
    let running = Running::in_memory(server).await;
    let mut raw = Raw::connect(running.address()).await;
    let wait = Frame::call(1, "Wait", &Text::new("never")).metadata("__AUTH", "canary");
    assert_panicked(&raw.call(&wait).await, 1);
    raw.expect_serves().await;
    assert_eq!(probe.seen(), [], "the method did not run");
}

/// A compressor that panics.
#[derive(Debug)]
struct Panicking {
    compress: bool,
}

impl Compressor for Panicking {
    fn compress(&self, data: &[u8]) -> std::result::Result<Vec<u8>, CompressionError> {
        assert!(!self.compress, "boom: compress");
        Ok(data.to_vec())
    }

    fn decompress(&self, data: &[u8], _: usize) -> std::result::Result<Vec<u8>, CompressionError> {
        assert!(self.compress, "boom: decompress");
        Ok(data.to_vec())
    }
}

#[tokio::test(start_paused = true)]
async fn a_panicking_compressor_fails_its_call_alone() {
    for compress in [false, true] {
        let id = Compression::from_id(5);
        let compressors = Compressors::default().register(id, Panicking { compress });
        let server = Server::new().add(Tester::service()).compressors(compressors);
        let running = Running::in_memory(server).await;
        let mut raw = Raw::connect(running.address()).await;
        let answer = raw.call(&Frame::echo(1, vec![0; 2000]).compressed(id)).await;
        assert_panicked(&answer, 1);
        raw.expect_serves().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_does_not_go_on_closes_the_connection() {
    let running = Running::in_memory(Server::new().add(Tester::service())).await;
    let mut idle = Raw::connect(running.address()).await;
    let mut raw = Raw::connect(running.address()).await;
    let frame = Frame::echo(1, vec![1; 100_000]).encode();
    let (first, rest) = frame.split_at(1000);
    raw.send_bytes(first).await;
    let begun = tokio::time::Instant::now();
    raw.expect_end().await;
    assert_eq!(begun.elapsed().as_secs(), 10);

    // 1,200 bytes a second are enough, 800 are too few.
    let mut slow = Raw::connect(running.address()).await;
    let mut slower = Raw::connect(running.address()).await;
    slow.send_bytes(first).await;
    slower.send_bytes(first).await;
    let mut cut = false;
    for piece in rest.chunks(1200) {
        tokio::time::advance(Duration::from_secs(1)).await;
        slow.send_bytes(piece).await;
        cut |= !slower.try_send_bytes(&piece[..piece.len().min(800)]).await;
    }
    assert_eq!(slow.answer().await, Answer::ok(1, vec![1; 100_000]));
    assert!(cut, "the connection ends while the client sends");
    slower.expect_end().await;
    // And between frames there is no hurry at all.
    idle.expect_serves().await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_loses_its_connection() {
    let (service, mut probe) = Tester::gated();
    let running = Running::in_memory(Server::new().add(service)).await;
    let mut raw = Raw::connect(running.address()).await;
    raw.send(&Frame::call(1, "Wait", &Text::new("stuck"))).await;
    assert_eq!(probe.event().await, Event::started("stuck"));
    raw.send(&Frame::echo(2, vec![1; 1_000_000])).await;
    // The answer does not fit into the pipe, and the test does not read it.
    assert_eq!(probe.event().await, Event::dropped("stuck"));
    Raw::connect(running.address()).await.expect_serves().await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_is_soon_not_read_either() {
    let running = Running::in_memory(Server::new().add(Tester::service())).await;
    let mut raw = Raw::connect(running.address()).await;
    let frame = Frame::echo(1, vec![1; 1 << 20]).encode();
    let mut sent = 0;
    while raw.try_send_bytes(&frame).await {
        sent += 1;
        assert!(sent < 10, "the server takes megabyte after megabyte");
    }
    assert!(sent >= 4, "some may wait: {sent}");
}

#[tokio::test(start_paused = true)]
async fn a_meta_call_without_arguments_needs_a_payload_all_the_same() {
    let running = Running::in_memory(Server::new().add(Tester::service())).await;
    let mut raw = Raw::connect(running.address()).await;
    let empty = Frame { payload: Vec::new(), ..Frame::call(1, "Meta", &Nothing {}) };
    assert_eq!(raw.call(&empty).await, Answer::error(1, "EOF"));
}
