//! Frames that no Go encoder writes, and what becomes of them.
//!
//! `want` in the file is ours: `incomplete` waits for more, `close` ends the connection after the
//! answers that are ready, `error` answers that call alone, `accept` serves it.

mod support;

use std::collections::BTreeMap;

use bytes::BytesMut;
use rpcx::protocol::{DecodeError, Decoded, Limits, Message};
use rpcx::{Context, Metadata, Server};
use serde::Deserialize;

use support::{Answer, Frame, Raw, Running, hex, lines, reencode};

/// Made by hand and shown to Go rpcx 1.9.4.
const FRAMES: &str = include_str!("golden/odd_frames.jsonl");

#[derive(Deserialize)]
struct Odd {
    name: String,
    hex: String,
    want: Want,
    /// What Go read, where it read anything.
    go_metadata: Option<BTreeMap<String, String>>,
    go_payload_hex: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Want {
    Incomplete,
    Close,
    Error,
    Accept,
}

impl Odd {
    fn all() -> Vec<Self> {
        let all: Vec<Self> = lines(FRAMES);
        assert_eq!(all.len(), 31);
        all
    }

    fn bytes(&self) -> Vec<u8> {
        hex(&self.hex)
    }

    /// The server's answer, if the connection gives one to this frame; they all have number 5.
    fn answer(&self) -> Option<Answer> {
        let error = |text| Some(Answer::error(5, text));
        match self.name.as_str() {
            "gzip-flag-not-gzip" => error("gzip: invalid gzip header"),
            "gzip-flag-empty-payload" => error("gzip: EOF"),
            "compress-2-unregistered" | "compress-7-unregistered" => {
                error("unsupported compressor")
            }
            "path-invalid-utf8" => error("rpcx: can't find service \u{fffd}\u{fffd}"),
            _ if self.want == Want::Accept => {
                let mut answer = Answer::ok(5, [0x71]);
                answer.metadata = self.go_metadata.clone().unwrap_or_default();
                Some(answer)
            }
            _ => None,
        }
    }
}

/// The payload of the frames is the number 0x70 and a byte that nobody reads.
#[rpcx::service]
trait Arith {
    /// Adds 1, and gives the metadata back.
    async fn mul(&self, context: &Context, number: i64) -> rpcx::Result<i64>;
}

struct Calculator;

impl Arith for Calculator {
    async fn mul(&self, context: &Context, number: i64) -> rpcx::Result<i64> {
        for (key, value) in context.metadata().iter() {
            context.set_response_metadata(key, value);
        }
        Ok(number + 1)
    }
}

fn server() -> Server {
    Server::new().add(ArithServer::new(Calculator))
}

/// A call, to show that the connection serves.
fn double_check(seq: u64) -> (Frame, Answer) {
    (Frame::call(seq, "Mul", &7), Answer::ok(seq, [8]))
}

#[test]
fn the_decoder_tells_each_kind() {
    for odd in Odd::all() {
        let (name, bytes) = (&odd.name, odd.bytes());
        let mut buffer = BytesMut::from(bytes.as_slice());
        match (odd.want, Message::decode(&mut buffer, &Limits::default())) {
            (Want::Incomplete, Ok(Decoded::Incomplete(needed))) => {
                assert!(needed > bytes.len(), "{name}: {needed} bytes are there");
                assert_eq!(buffer, bytes, "{name}: nothing is taken");
            }
            (Want::Close, Err(error)) => {
                let bad_magic = name == "bad-magic";
                let expected =
                    if bad_magic { DecodeError::BadMagic(9) } else { DecodeError::Lengths };
                assert_eq!(error, expected, "{name}");
            }
            (Want::Error | Want::Accept, Ok(Decoded::Message(message))) => {
                assert!(buffer.is_empty(), "{name}: all is taken");
                assert_eq!(reencode(&message), bytes, "{name}");
                if let Some(go_payload) = &odd.go_payload_hex {
                    assert_eq!(message.payload(), hex(go_payload), "{name}");
                }
                if let Some(go_metadata) = &odd.go_metadata {
                    let expected: Metadata = go_metadata.clone().into_iter().collect();
                    assert_eq!(message.metadata(), expected, "{name}");
                }
            }
            (want, found) => panic!("{name}: {want:?} is wanted, found {found:?}"),
        }
    }
}

#[tokio::test]
async fn a_server_does_what_each_kind_asks_for() {
    let running = Running::on_tcp(server()).await;
    for odd in Odd::all() {
        let name = odd.name.clone();
        let exchange = tokio::spawn(exchange(running.address().to_owned(), odd));
        exchange.await.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

async fn exchange(address: String, odd: Odd) {
    let mut raw = Raw::connect(&address).await;
    let (before, answer_before) = double_check(1);
    raw.send_bytes(&[before.encode(), odd.bytes()].concat()).await;
    assert_eq!(raw.answer().await, answer_before);
    match odd.want {
        Want::Incomplete => {
            raw.finish().await;
            raw.expect_end().await;
        }
        Want::Close => raw.expect_end().await,
        Want::Error | Want::Accept => {
            assert_eq!(Some(raw.answer().await), odd.answer());
            let (after, answer_after) = double_check(2);
            assert_eq!(raw.call(&after).await, answer_after);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_waits_for_the_rest_of_an_incomplete_frame() {
    let running = Running::in_memory(server()).await;
    let incomplete: Vec<Odd> =
        Odd::all().into_iter().filter(|odd| odd.want == Want::Incomplete).collect();
    assert_eq!(incomplete.len(), 4);
    for odd in incomplete {
        let mut raw = Raw::connect(running.address()).await;
        raw.send_bytes(&odd.bytes()).await;
        raw.expect_silence().await;
        raw.finish().await;
        raw.expect_end().await;
    }
}

#[tokio::test]
async fn bytes_behind_a_broken_frame_cost_no_finished_answer() {
    let running = Running::on_tcp(server()).await;
    let (call, answer) = double_check(1);
    let mut bytes = call.encode();
    bytes.extend_from_slice(&vec![9; 300_000]);
    let mut raw = Raw::connect(running.address()).await;
    raw.send_bytes(&bytes).await;
    assert_eq!(raw.answer().await, answer);
    raw.expect_end().await;
}
