//! What a client makes of what a server sends: replies, errors, pushes, and broken bytes.
#![cfg(feature = "macros")]

use std::future::IntoFuture as _;
use std::sync::{Arc, Mutex};

use rpcx::client::Push;
use rpcx::codec::CodecError;
use rpcx::protocol::{Header, Limits, Message, SerializeType, Status};
use rpcx::{Error, Executed, Metadata};

#[path = "support/client.rs"]
#[allow(dead_code, reason = "each test file uses a part")]
mod support;

use support::{
    ArithClient, FakeNetwork, Peer, Peers, Reply, args, error_to, frame, lazily, product, reply_to,
    sent_args, settle, soon,
};

/// The header of a response to `request` with these flags, a byte of the wire.
fn response_with_flags(request: &Message, flags: u8) -> Header {
    let mut bytes = request.header().response(Status::Normal).encode();
    bytes[2] = flags;
    Header::decode(bytes).unwrap()
}

/// Asserts that the connection still carries calls.
async fn still_works(client: &ArithClient, peer: &mut Peer) {
    let call = client.mul(args(2, 3)).start();
    peer.serve_one(6).await;
    assert_eq!(soon(call).await.unwrap(), Reply { c: 6 });
}

/// Makes one call, answers it with what `answer` makes of the request, and asserts that the
/// connection still carries calls afterwards.
async fn answered_with(answer: impl FnOnce(&Message) -> Vec<u8>) -> rpcx::Result<Reply> {
    let (network, mut peers) = FakeNetwork::new();
    let client = network.client();
    let call = client.mul(args(2, 3)).start();
    let mut peer = peers.accept().await;
    let request = peer.request().await;
    peer.send(&answer(&request)).await;
    let result = soon(call).await;
    still_works(&client, &mut peer).await;
    assert_eq!(network.dials(), 1);
    result
}

#[track_caller]
fn protocol_error<T: std::fmt::Debug>(result: rpcx::Result<T>) -> String {
    match result {
        Err(error @ Error::Protocol(_)) => {
            assert_eq!(error.executed(), Executed::Maybe);
            let Error::Protocol(text) = error else { unreachable!("matched above") };
            text
        }
        other => panic!("expected a protocol error, got {other:?}"),
    }
}

#[track_caller]
fn decode_error<T: std::fmt::Debug>(result: rpcx::Result<T>) -> CodecError {
    match result {
        Err(error @ Error::Decode(_)) => {
            assert_eq!(error.executed(), Executed::Yes);
            let Error::Decode(source) = error else { unreachable!("matched above") };
            source
        }
        other => panic!("expected a reply that does not decode, got {other:?}"),
    }
}

#[tokio::test]
async fn replies_in_any_order_reach_their_own_callers() {
    let (network, mut peers) = FakeNetwork::new();
    let client = network.client();
    let mut calls: Vec<_> = (0..30).map(|n| client.mul(args(n, 7)).start()).collect();
    let mut peer = peers.accept().await;
    let mut requests = Vec::new();
    for _ in 0..30 {
        requests.push(peer.request().await);
    }
    // 7 and 30 have no common divisor: every request has its turn.
    for n in 0..30 {
        let request = &requests[n * 7 % 30];
        peer.reply(request, sent_args(request).a * 7).await;
    }
    for (n, call) in (0..30).zip(&mut calls) {
        assert_eq!(soon(call).await.unwrap(), Reply { c: 7 * n });
    }
}

/// A reply is a reply, whatever it says beside; none of it is the caller's to see.
#[tokio::test]
async fn rpcxs_own_keys_in_a_reply_mean_nothing() {
    let own = ["__AUTH", "__rpcx_error__", "__rpcx_not_executed", "__ServerTimeout"];
    let pairs: Vec<_> = own.into_iter().chain(["by"]).map(|key| (key, "a")).collect();
    let (network, mut peers) = FakeNetwork::new();
    let client = network.client();
    let call = client.mul(args(2, 3)).detailed();
    let answer = async {
        let mut peer = peers.accept().await;
        let request = peer.request().await;
        let header = request.header().response(Status::Normal);
        peer.send(&frame(header, &pairs, &product(6))).await;
        peer
    };
    let (detailed, mut peer) = soon(async { tokio::join!(call, answer) }).await;
    assert_eq!(detailed.result.unwrap(), Reply { c: 6 });
    assert_eq!(detailed.metadata, [("by", "a")].into_iter().collect());
    let call = client.mul(args(2, 3)).inform();
    let answer = async {
        let request = peer.request().await;
        let header = request.header().response(Status::Normal);
        peer.send(&frame(header, &pairs, &product(6))).await;
    };
    let (receipts, ()) = soon(async { tokio::join!(call, answer) }).await;
    let [receipt] = receipts.unwrap().try_into().unwrap();
    assert_eq!(receipt.result.unwrap(), Reply { c: 6 });
    assert_eq!(receipt.metadata, [("by", "a")].into_iter().collect());
}

#[tokio::test]
async fn a_dropped_call_gives_its_place_to_the_next_at_once() {
    let (network, mut peers) = FakeNetwork::new();
    let client = lazily(network.builder().max_in_flight(1));
    let first = client.mul(args(1, 1)).start();
    let mut peer = peers.accept().await;
    peer.request().await;
    let second = client.mul(args(2, 3)).start();
    assert!(peer.is_quiet().await);
    drop(first);
    peer.serve_one(6).await;
    assert_eq!(soon(second).await.unwrap(), Reply { c: 6 });
}

#[tokio::test]
async fn a_late_reply_to_a_dropped_call_does_not_reach_the_call_in_its_place() {
    let (network, mut peers) = FakeNetwork::new();
    let client = lazily(network.builder().max_in_flight(1));
    let first = client.mul(args(1, 1)).start();
    let mut peer = peers.accept().await;
    let dropped = peer.request().await;
    drop(first);
    settle().await;
    let mut second = client.mul(args(2, 3)).start();
    let request = peer.request().await;
    assert_ne!(request.header().seq(), dropped.header().seq());
    peer.reply(&dropped, 111).await;
    settle().await;
    assert!(support::is_pending(&mut second).await);
    peer.reply(&request, 6).await;
    assert_eq!(soon(second).await.unwrap(), Reply { c: 6 });
}

#[tokio::test]
async fn a_reply_to_nobody_and_a_second_reply_are_dropped() {
    let (network, mut peers) = FakeNetwork::new();
    let client = network.client();
    let call = client.mul(args(2, 3)).start();
    let mut peer = peers.accept().await;
    let request = peer.request().await;
    for seq in [1, 1 << 32, u64::MAX, u64::from(u32::MAX)] {
        let header = Header::request(seq, SerializeType::MSGPACK).response(Status::Normal);
        peer.send(&frame(header, &[], &product(111))).await;
    }
    peer.reply(&request, 6).await;
    peer.reply(&request, 222).await;
    assert_eq!(soon(call).await.unwrap(), Reply { c: 6 });
    still_works(&client, &mut peer).await;
}

#[tokio::test]
async fn a_reply_that_does_not_decode_fails_its_own_call_alone() {
    let (network, mut peers) = FakeNetwork::new();
    let client = network.client();
    let first = client.mul(args(1, 1)).start();
    let second = client.mul(args(2, 3)).start();
    let mut peer = peers.accept().await;
    let (one, two) = (peer.request().await, peer.request().await);
    let text = b"\xa5hello";
    peer.send(&frame(one.header().response(Status::Normal), &[], text)).await;
    peer.reply(&two, 6).await;
    assert!(matches!(decode_error(soon(first).await), CodecError::Decode(_)));
    assert_eq!(soon(second).await.unwrap(), Reply { c: 6 });
    still_works(&client, &mut peer).await;
}

#[tokio::test]
async fn a_reply_in_an_unknown_codec_does_not_decode() {
    let result = answered_with(|request| {
        let mut bytes = request.header().response(Status::Normal).encode();
        bytes[3] = 0x90;
        frame(Header::decode(bytes).unwrap(), &[], &product(6))
    });
    let unknown = CodecError::Unknown(SerializeType::from_id(9));
    assert_eq!(decode_error(result.await), unknown);
}

#[cfg(feature = "json")]
#[tokio::test]
async fn a_reply_decodes_by_its_own_codec_not_by_that_of_the_request() {
    let result = answered_with(|request| {
        let mut bytes = request.header().response(Status::Normal).encode();
        bytes[3] = 0x10;
        frame(Header::decode(bytes).unwrap(), &[], br#"{"C":6}"#)
    });
    assert_eq!(result.await.unwrap(), Reply { c: 6 });
}

#[tokio::test]
async fn an_error_response_gives_its_text_exactly() {
    let long = "x".repeat(15 << 10);
    for text in ["out of stock", "", "two\nlines\n", "  blanks ", "größer als ∞", &long] {
        let result = answered_with(|request| error_to(request, &[("__rpcx_error__", text)])).await;
        let Err(Error::Service(found)) = result else { panic!("{result:?}") };
        assert_eq!(found, text);
    }
}

#[tokio::test]
async fn an_error_response_without_a_text_is_an_error_without_a_text() {
    for metadata in [&[][..], &[("other", "value")]] {
        let result = answered_with(|request| error_to(request, metadata)).await;
        let Err(Error::Service(found)) = result else { panic!("{result:?}") };
        assert_eq!(found, "");
    }
}

#[tokio::test]
async fn an_error_response_is_an_error_whatever_its_payload() {
    let result = answered_with(|request| {
        let header = request.header().response(Status::Error);
        frame(header, &[("__rpcx_error__", "no")], &product(6))
    });
    let result = result.await;
    let Err(error @ Error::Service(_)) = result else { panic!("{result:?}") };
    assert_eq!((error.to_string(), error.executed()), ("no".to_owned(), Executed::Yes));
}

#[tokio::test]
async fn a_text_that_is_not_utf8_arrives_with_replacement_characters() {
    let result = answered_with(|request| {
        let mut bytes = error_to(request, &[("__rpcx_error__", "ab")]);
        let at = bytes.windows(2).position(|two| two == b"ab").unwrap();
        bytes[at] = 0xff;
        bytes
    });
    let result = result.await;
    let Err(Error::Service(found)) = result else { panic!("{result:?}") };
    assert_eq!(found, "\u{fffd}b");
}

#[tokio::test]
async fn a_reserved_status_is_a_protocol_error_of_its_own_call_alone() {
    for status in [2, 3] {
        let result = answered_with(|request| {
            frame(response_with_flags(request, 0x80 | status), &[], &product(6))
        });
        assert_eq!(protocol_error(result.await), format!("a response of status {status}"));
    }
}

#[tokio::test]
async fn broken_bytes_fail_the_calls_that_were_sent_and_end_the_connection() {
    let (network, mut peers) = FakeNetwork::new();
    let client = network.client();
    let first = client.mul(args(1, 1)).start();
    // May run twice, and is not sent twice: what the server does is not what it should.
    let second = client.add(args(2, 3)).start();
    let mut peer = peers.accept().await;
    peer.request().await;
    peer.request().await;
    peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let text = "expected the magic number 0x08, found 0x48";
    assert_eq!(protocol_error(soon(first).await), text);
    assert_eq!(protocol_error(soon(second).await), text);
    assert!(peer.next().await.is_none());
    assert_eq!(network.dials(), 1);
    still_works_over_a_new_connection(&client, &mut peers).await;
}

async fn still_works_over_a_new_connection(client: &ArithClient, peers: &mut Peers) {
    let call = client.mul(args(2, 3)).start();
    peers.accept().await.serve_one(6).await;
    assert_eq!(soon(call).await.unwrap(), Reply { c: 6 });
}

#[tokio::test]
async fn replies_before_broken_bytes_count() {
    let (network, mut peers) = FakeNetwork::new();
    let client = network.client();
    let call = client.mul(args(2, 3)).start();
    let mut peer = peers.accept().await;
    let request = peer.request().await;
    let mut bytes = reply_to(&request, 6);
    bytes.extend_from_slice(b"garbage");
    peer.send(&bytes).await;
    assert_eq!(soon(call).await.unwrap(), Reply { c: 6 });
    assert!(peer.next().await.is_none());
}

#[tokio::test]
async fn a_call_that_was_not_sent_when_broken_bytes_came_goes_over_a_new_connection() {
    let (network, mut peers) = FakeNetwork::new();
    let client = network.client();
    let call = client.mul(args(2, 3)).start();
    let mut peer = peers.accept().await;
    peer.serve_one(6).await;
    soon(call).await.unwrap();
    network.gate().close();
    let call = client.mul(args(4, 5)).start();
    network.gate().met().await;
    settle().await;
    peer.send(b"garbage").await;
    settle().await;
    network.gate().open();
    let mut second = peers.accept().await;
    second.serve_one(20).await;
    assert_eq!(soon(call).await.unwrap(), Reply { c: 20 });
}

/// A client that keeps what is pushed.
fn with_pushes(network: &FakeNetwork) -> (ArithClient, Arc<Mutex<Vec<Push>>>) {
    let pushes = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&pushes);
    let client = lazily(network.builder().on_push(move |push| sink.lock().unwrap().push(push)));
    (client, pushes)
}

#[tokio::test]
async fn a_push_reaches_the_handler_as_it_was_sent() {
    let (network, mut peers) = FakeNetwork::new();
    let (client, pushes) = with_pushes(&network);
    let call = client.mul(args(2, 3)).start();
    let mut peer = peers.accept().await;
    let request = peer.request().await;
    peer.send(&frame(Header::push(1), &[("n", "17")], b"\x00\xffnote")).await;
    peer.reply(&request, 6).await;
    assert_eq!(soon(call).await.unwrap(), Reply { c: 6 });
    let pushes = pushes.lock().unwrap();
    let [push] = &pushes[..] else { panic!("{pushes:?}") };
    assert_eq!((push.service_path(), push.service_method()), ("Arith", "Mul"));
    assert_eq!(*push.metadata(), [("n", "17")].into_iter().collect::<Metadata>());
    assert_eq!(push.payload()[..], *b"\x00\xffnote");
}

#[tokio::test]
async fn a_push_with_the_number_of_a_call_that_waits_does_not_answer_it() {
    let (network, mut peers) = FakeNetwork::new();
    let (client, pushes) = with_pushes(&network);
    let mut call = client.mul(args(2, 3)).start();
    let mut peer = peers.accept().await;
    let request = peer.request().await;
    let seq = request.header().seq();
    peer.send(&frame(Header::push(seq), &[], &product(111))).await;
    settle().await;
    assert_eq!(pushes.lock().unwrap().len(), 1);
    assert!(support::is_pending(&mut call).await);
    peer.reply(&request, 6).await;
    assert_eq!(soon(call).await.unwrap(), Reply { c: 6 });
}

#[tokio::test]
async fn pushes_without_a_handler_are_dropped() {
    let (network, mut peers) = FakeNetwork::new();
    let client = network.client();
    let call = client.mul(args(2, 3)).start();
    let mut peer = peers.accept().await;
    let request = peer.request().await;
    peer.send(&frame(Header::push(request.header().seq()), &[], &product(111))).await;
    peer.reply(&request, 6).await;
    assert_eq!(soon(call).await.unwrap(), Reply { c: 6 });
}

#[tokio::test]
async fn a_push_handler_that_panics_stops_neither_reading_nor_later_pushes() {
    let (network, mut peers) = FakeNetwork::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    let client = lazily(network.builder().on_push(move |push: Push| {
        let text = String::from_utf8_lossy(push.payload()).into_owned();
        assert_ne!(text, "bad", "a panic that the test asked for");
        sink.lock().unwrap().push(text);
    }));
    let call = client.mul(args(2, 3)).start();
    let mut peer = peers.accept().await;
    let request = peer.request().await;
    for text in [b"one", b"bad", b"two"] {
        peer.send(&frame(Header::push(1), &[], text)).await;
    }
    peer.reply(&request, 6).await;
    assert_eq!(soon(call).await.unwrap(), Reply { c: 6 });
    assert_eq!(*seen.lock().unwrap(), ["one", "two"]);
}

#[cfg(feature = "gzip")]
mod compressed {
    use rpcx::protocol::{Compression, Compressor as _, Gzip};

    use super::*;

    fn gzip(data: &[u8]) -> Vec<u8> {
        Gzip::default().compress(data).unwrap()
    }

    fn compressed_reply(request: &Message, compression: Compression, payload: &[u8]) -> Vec<u8> {
        let header = request.header().response(Status::Normal).with_compression(compression);
        frame(header, &[], payload)
    }

    #[tokio::test]
    async fn a_compressed_reply_is_restored_although_nobody_asked_for_one() {
        let result = answered_with(|request| {
            compressed_reply(request, Compression::GZIP, &gzip(&product(6)))
        });
        assert_eq!(result.await.unwrap(), Reply { c: 6 });
    }

    #[tokio::test]
    async fn a_reply_that_is_no_gzip_fails_its_own_call_alone() {
        let mut cut = gzip(&product(6));
        cut.truncate(12);
        for payload in [&b"no gzip"[..], b"", &cut] {
            let result =
                answered_with(|request| compressed_reply(request, Compression::GZIP, payload));
            assert!(matches!(decode_error(result.await), CodecError::Decode(_)));
        }
    }

    #[tokio::test]
    async fn a_reply_of_an_unknown_compression_fails_its_own_call_alone() {
        let result = answered_with(|request| {
            compressed_reply(request, Compression::from_id(5), &product(6))
        });
        let error = CodecError::Decode("unsupported compressor".to_owned());
        assert_eq!(decode_error(result.await), error);
    }

    #[tokio::test]
    async fn a_reply_that_grows_past_the_limit_fails_its_own_call_alone() {
        let (network, mut peers) = FakeNetwork::new();
        let limits = Limits::default().max_decompressed(1 << 20);
        let client = lazily(network.builder().limits(limits));
        let first = client.mul(args(2, 3)).start();
        let mut peer = peers.accept().await;
        peer.serve_one(6).await;
        soon(first).await.unwrap();
        for (size, fits) in [(4 << 20, false), ((1 << 20) + 1, false), (1 << 20, true)] {
            let call = client.echo(rpcx::Bytes::new()).start();
            let request = peer.request().await;
            // 5 bytes of it are MessagePack's mark and length of a byte string.
            let len = u32::try_from(size - 5).unwrap().to_be_bytes();
            let mut value = [&[0xc6][..], &len].concat();
            value.resize(size, 0);
            peer.send(&compressed_reply(&request, Compression::GZIP, &gzip(&value))).await;
            let result = soon(call).await;
            if fits {
                assert_eq!(result.unwrap().len(), size - 5);
            } else {
                let text = "decompressed payload is longer than 1048576 bytes".to_owned();
                assert_eq!(decode_error(result), CodecError::Decode(text));
            }
            still_works(&client, &mut peer).await;
        }
    }
}

#[tokio::test]
async fn a_reply_within_the_message_limit_arrives_and_one_beyond_ends_the_connection() {
    let (network, mut peers) = FakeNetwork::new();
    let request_size = 4 * 4 + "Arith".len() + "Echo".len() + 2;
    let client = lazily(network.builder().limits(Limits::default().max_message(request_size + 98)));
    let reply = |request: &Message, payload: &[u8]| {
        frame(request.header().response(Status::Normal), &[], payload)
    };
    // The frame carries `Mul` where the request had `Echo`: a byte less.
    let mut peer = None;
    for (len, fits) in [(99, true), (100, false)] {
        let call = client.echo(rpcx::Bytes::new()).start();
        let peer = match &mut peer {
            Some(peer) => peer,
            none => none.insert(peers.accept().await),
        };
        let request = peer.request().await;
        let mut payload = vec![0xc4, len];
        payload.resize(2 + usize::from(len), 7);
        peer.send(&reply(&request, &payload)).await;
        let result = soon(call).await;
        if fits {
            assert_eq!(result.unwrap().len(), usize::from(len));
            continue;
        }
        let (size, limit) = (request_size + 99, request_size + 98);
        let text = format!("a message of {size} bytes exceeds the limit of {limit}");
        assert_eq!(protocol_error(result), text);
        assert!(peer.next().await.is_none());
    }
    still_works_over_a_new_connection(&client, &mut peers).await;
}

#[tokio::test]
async fn a_claimed_length_ends_the_connection_before_its_bytes_come() {
    let (network, mut peers) = FakeNetwork::new();
    let client = network.client();
    let call = client.mul(args(2, 3)).start();
    let mut peer = peers.accept().await;
    let request = peer.request().await;
    let mut bytes = reply_to(&request, 6);
    bytes.truncate(16);
    bytes[12..].copy_from_slice(&u32::MAX.to_be_bytes());
    peer.send(&bytes).await;
    let limit = (16 << 20) + (64 << 10);
    let text = format!("a message of 4294967295 bytes exceeds the limit of {limit}");
    assert_eq!(protocol_error(soon(call).await), text);
}

#[tokio::test]
async fn a_reply_cut_anywhere_is_a_lost_connection_and_never_a_value() {
    let (network, mut peers) = FakeNetwork::new();
    let client = network.client();
    for cut in 0.. {
        let call = client.mul(args(2, 3)).start();
        let mut peer = peers.accept().await;
        let request = peer.request().await;
        let reply = reply_to(&request, 6);
        let whole = cut == reply.len();
        peer.send(&reply[..cut]).await;
        drop(peer);
        let result = soon(call).await;
        if whole {
            assert_eq!(result.unwrap(), Reply { c: 6 });
            break;
        }
        let Err(Error::ConnectionLost { executed, .. }) = result else {
            panic!("cut at byte {cut}: {result:?}")
        };
        assert_eq!(executed, Executed::Maybe);
        settle().await;
    }
}

#[tokio::test]
async fn a_reply_in_single_bytes_is_a_reply() {
    let (network, mut peers) = FakeNetwork::with_buffer(1);
    let client = network.client();
    let call = client.mul(args(2, 3)).start();
    let mut peer = peers.accept().await;
    peer.serve_one(6).await;
    assert_eq!(soon(call).await.unwrap(), Reply { c: 6 });
}

/// One call gets a reply of which one byte is wrong, the other a right one. Their numbers differ in
/// two bytes, so that no wrong byte turns one into the other.
#[tokio::test]
async fn no_wrong_byte_in_a_reply_gives_a_panic_or_the_value_of_another_call() {
    let len = {
        let header = Header::request(0, SerializeType::MSGPACK).response(Status::Normal);
        frame(header, &[], &product(CORRUPTED)).len()
    };
    for at in 0..len {
        for mask in [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff] {
            one_wrong_byte(at, mask).await;
        }
    }
}

async fn one_wrong_byte(at: usize, mask: u8) {
    let (network, mut peers) = FakeNetwork::new();
    let client = network.client();
    let mut peer = first_places(&client, &mut peers).await;
    let (first, second) = (client.mul(args(1, 1)).start(), client.mul(args(2, 3)).start());
    let (one, two) = (peer.request().await, peer.request().await);
    let differ = (one.header().seq() ^ two.header().seq()).to_be_bytes();
    assert_eq!(differ.iter().filter(|byte| **byte != 0).count(), 2);
    let mut reply = reply_to(&one, CORRUPTED);
    reply[at] ^= mask;
    peer.send(&reply).await;
    peer.send(&reply_to(&two, OTHER)).await;
    drop(peer);
    if let Ok(Reply { c }) = soon(first).await {
        assert_ne!(c, OTHER, "byte {at} xor {mask:#x}");
    }
    match soon(second).await {
        Ok(Reply { c }) => assert_eq!(c, OTHER, "byte {at} xor {mask:#x}"),
        Err(Error::ConnectionLost { .. } | Error::Protocol(_)) => {}
        Err(error) => panic!("byte {at} xor {mask:#x}: {error:?}"),
    }
}

/// Uses two places among the pending calls, one of them twice.
async fn first_places(client: &ArithClient, peers: &mut Peers) -> Peer {
    let (first, second) = (client.mul(args(1, 1)).start(), client.mul(args(2, 3)).start());
    let mut peer = peers.accept().await;
    let (one, two) = (peer.request().await, peer.request().await);
    peer.reply(&two, 1).await;
    soon(second).await.unwrap();
    let again = client.mul(args(2, 3)).start();
    peer.serve_one(1).await;
    soon(again).await.unwrap();
    peer.reply(&one, 1).await;
    soon(first).await.unwrap();
    peer
}

/// A reply to an idempotent call counts as much as any: it is not asked for twice.
#[tokio::test]
async fn an_idempotent_call_whose_reply_does_not_decode_is_not_repeated() {
    let (network, mut peers) = FakeNetwork::new();
    let client = network.client();
    let call = client.add(args(2, 3)).into_future();
    let server = async {
        let mut peer = peers.accept().await;
        let request = peer.request().await;
        peer.send(&frame(request.header().response(Status::Normal), &[], b"\xa2no")).await;
        peer
    };
    let (result, mut peer) = tokio::join!(soon(call), server);
    assert!(matches!(decode_error(result), CodecError::Decode(_)));
    assert!(peer.is_quiet().await);
    assert_eq!(network.dials(), 1);
}

/// The value in the reply that has a wrong byte.
const CORRUPTED: i64 = 0x0101_0101;
/// The other reply's value: all its bytes differ.
const OTHER: i64 = 0x7a7a_7a7a;
