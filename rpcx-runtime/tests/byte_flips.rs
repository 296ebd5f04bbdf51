//! Every byte of messages that Go rpcx 1.9.4 wrote, changed: what the other side makes of it.
//!
//! rpcx has no checksum. What is changed in a payload, a name or a sequence number can be another message that
//! is as good; then nobody can tell. All else is an error, and nobody waits for ever.

#[path = "support/client.rs"]
#[allow(dead_code, reason = "each test file uses a part")]
mod client;
mod support;

use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rpcx::{Error, Executed, Server};
use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use client::{FakeNetwork, Reply, args, frame, product};
use rpcx::protocol::{Header, SerializeType, Status};
use rpcx::transport::{Connector as _, NetworkConnector};
use support::{Answer, Frame, Raw, Running, Tester, hex, lines, soon};

const FRAMES: &str = include_str!("golden/frames.jsonl");

#[derive(Deserialize)]
struct Golden {
    name: String,
    hex: String,
}

fn golden() -> Vec<(String, Vec<u8>)> {
    let all: Vec<Golden> = lines(FRAMES);
    all.into_iter().map(|golden| (golden.name, hex(&golden.hex))).collect()
}

/// What a byte is changed by: its bits one by one and together, or all there is with `RPCX_LONG=1`.
fn changes() -> Vec<u8> {
    if std::env::var("RPCX_LONG").is_ok_and(|long| long == "1") {
        return (1..=u8::MAX).collect();
    }
    (0..8).map(|bit| 1 << bit).chain([0xff, 0x55]).collect()
}

#[tokio::test(start_paused = true)]
async fn no_change_of_a_request_harms_the_server() {
    static PANICS: AtomicUsize = AtomicUsize::new(0);
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        usual(info);
    }));
    let running = Running::in_memory(Server::new().add(Tester::service())).await;
    let address = running.address().parse().unwrap();
    let mut honest = Raw::connect(running.address()).await;
    let (mut sent, mut answered) = (0, 0);
    // Longer ones are the same with more of one field.
    for (name, bytes) in golden().into_iter().filter(|(_, bytes)| bytes.len() <= 200) {
        for at in 0..bytes.len() {
            for change in changes() {
                let mut bytes = bytes.clone();
                bytes[at] ^= change;
                let mut duplex = NetworkConnector::new().connect(&address).await.unwrap();
                duplex.writer.write_all(&bytes).await.unwrap();
                duplex.writer.shutdown().await.unwrap();
                let mut answer = Vec::new();
                soon(duplex.reader.read_to_end(&mut answer)).await.unwrap();
                sent += 1;
                answered += usize::from(!answer.is_empty());
                let call = honest.call(&Frame::mul(9)).await;
                assert_eq!(call, Answer::forty_two(9), "after {name}, byte {at} by {change}");
            }
        }
    }
    say(&format!("requests with a byte changed: {sent}, of which {answered} were answered"));
    assert!(answered > 1_000, "most changes leave a request that can be answered");
    assert_eq!(PANICS.load(Ordering::Relaxed), 0);
}

/// What can be made of a reply in which a byte was changed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Makes {
    /// No message: the connection ends, and all calls that it has.
    NoMessage,
    /// The same reply.
    Same,
    /// The same reply, or one that is refused, or none.
    SameOrError,
    /// Another call's reply, or nobody's.
    Elses,
    /// Any reply.
    Any,
}

/// Tells it of each byte of `resp-msgpack`.
fn makes(at: usize) -> Makes {
    match at {
        // The magic number, the length of all, those of the names, the metadata and the payload.
        0 | 12..20 | 25..29 | 32..40 => Makes::NoMessage,
        // The version and the names, which nobody looks at.
        1 | 20..25 | 29..32 => Makes::Same,
        // Kind, heartbeat, one-way, compression, status; codec.
        2 | 3 => Makes::SameOrError,
        4..12 => Makes::Elses,
        _ => Makes::Any,
    }
}

/// What came of the call whose reply was changed, and of the one beside it.
async fn calls(changed: &[u8]) -> [rpcx::Result<Reply>; 2] {
    let (network, mut peers) = FakeNetwork::new();
    let client = network.client();
    // Number 0, and number 1, which the golden reply has.
    let beside = async { client.mul(args(1, 7)).await };
    let changed_one = async { client.mul(args(1, 200)).timeout(PATIENCE).await };
    let server = async {
        let mut peer = peers.accept().await;
        for _ in 0..2 {
            peer.request().await;
        }
        peer.send(changed).await;
        let header = Header::request(0, SerializeType::MSGPACK).response(Status::Normal);
        peer.send(&frame(header, &[], &product(7))).await;
        // The connection stays until both are told.
        std::future::pending::<()>().await;
    };
    tokio::select! {
        both = futures_util::future::join(beside, changed_one) => [both.1, both.0],
        () = server => unreachable!("it never ends"),
    }
}

#[tokio::test(start_paused = true)]
async fn every_change_of_a_reply_is_an_error_or_cannot_be_told() {
    let (_, reply) = golden().into_iter().find(|(name, _)| name == "resp-msgpack").unwrap();
    assert_eq!(reply.len(), 45);
    let [unchanged, beside] = calls(&reply).await;
    assert_eq!((unchanged.unwrap().c, beside.unwrap().c), (200, 7));
    let (mut errors, mut same, mut other) = (0, 0, 0);
    for at in 0..reply.len() {
        for change in 1..=u8::MAX {
            let mut changed = reply.clone();
            changed[at] ^= change;
            let [result, beside] = calls(&changed).await;
            let what = format!("byte {at} by {change}: {result:?}, {beside:?}");
            let is_same = result.as_ref().is_ok_and(|reply| reply.c == 200);
            match makes(at) {
                Makes::NoMessage => assert!(is_lost(&result) && is_lost(&beside), "{what}"),
                Makes::Same => assert!(is_same, "{what}"),
                Makes::SameOrError => assert!(is_same || result.is_err(), "{what}"),
                Makes::Elses => {
                    let timeout = Err(Executed::Maybe) == told(&result);
                    assert!(
                        timeout && beside.as_ref().is_ok_and(|got| [7, 200].contains(&got.c)),
                        "{what}"
                    );
                }
                Makes::Any => {
                    assert!(
                        !matches!(result, Err(ref error) if error.executed() == Executed::No),
                        "{what}"
                    );
                }
            }
            if !matches!(makes(at), Makes::NoMessage | Makes::Elses) {
                assert!(beside.is_ok_and(|reply| reply.c == 7), "the one beside: {what}");
            }
            match result {
                Err(_) => errors += 1,
                Ok(_) if is_same => same += 1,
                Ok(_) => other += 1,
            }
        }
    }
    say(&format!(
        "replies with a byte changed: {errors} errors, {same} that read the same, {other} that read otherwise, \
         each by a change within the payload"
    ));
    assert!(errors > 5_000, "{errors}");
}

/// Tells whether the call ended with its connection.
fn is_lost(result: &rpcx::Result<Reply>) -> bool {
    let lost = matches!(result, Err(Error::Protocol(_) | Error::ConnectionLost { .. }));
    lost && told(result) == Err(Executed::Maybe)
}

fn told(result: &rpcx::Result<Reply>) -> Result<i64, Executed> {
    result.as_ref().map(|reply| reply.c).map_err(Error::executed)
}

/// Not `eprintln`, which the test runner would keep to itself.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Longer than a connection may stop in the middle of a message.
const PATIENCE: Duration = Duration::from_secs(60);
