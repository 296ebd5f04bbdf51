//! What bounds a client's calls: places on the connection, sizes, heartbeats; and what stays secret.
#![cfg(feature = "macros")]

use std::future::{Future as _, IntoFuture as _};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use rpcx::client::Push;
use rpcx::protocol::{Header, Kind, Limits, Message, SerializeType, Status};
use rpcx::transport::{Connector as _, NetworkConnector};
use rpcx::{Bytes, Client as _, Error, Executed};
use serde::{Deserialize, Serialize, Serializer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;
use tokio::time::Instant;

#[path = "support/client.rs"]
#[allow(dead_code, reason = "each test file uses a part")]
mod support;

use support::{
    ADDRESS, ArithClient, ArithServer, Calculator, FakeNetwork, Peer, Reply, args, error_to, frame,
    lazily, product, sent_args, serve, settle, soon,
};

/// An argument that does what no argument should.
#[derive(Debug, Deserialize)]
enum Odd {
    Good,
    Refused,
    Panics,
}

impl Serialize for Odd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::{Error as _, SerializeStruct as _};

        let mut fields = serializer.serialize_struct("Odd", 2)?;
        fields.serialize_field("First", "half of it")?;
        match self {
            Self::Good => {}
            Self::Refused => return Err(S::Error::custom("refused")),
            Self::Panics => panic!("a panic that the test asked for"),
        }
        fields.serialize_field("Second", "the rest")?;
        fields.end()
    }
}

#[rpcx::service]
#[rpcx(name = "Arith")]
trait Oddities {
    async fn one(&self, value: Odd) -> rpcx::Result<Reply>;

    async fn two(&self, number: i64, value: Odd) -> rpcx::Result<Reply>;
}

/// A client of `Oddities` on the same connection.
fn oddities(client: &ArithClient) -> OdditiesClient {
    OdditiesClient::new(support::channel(client))
}

/// Connects, so that later calls need no dial.
async fn connected(network: &FakeNetwork, peers: &mut support::Peers) -> (ArithClient, Peer) {
    let client = network.builder().connect_to(ADDRESS).await.unwrap();
    (client, peers.accept().await)
}

/// Asserts that the connection still carries calls.
async fn still_works(client: &ArithClient, peer: &mut Peer) {
    let call = client.mul(args(2, 3)).start();
    let request = peer.request().await;
    assert_eq!(sent_args(&request), args(2, 3));
    peer.reply(&request, 6).await;
    assert_eq!(soon(call).await.unwrap(), Reply { c: 6 });
}

#[tokio::test]
async fn calls_beyond_the_limit_wait_until_one_is_answered() {
    let (network, mut peers) = FakeNetwork::new();
    let client = lazily(network.builder().max_in_flight(2));
    let mut calls: Vec<_> = (0..4).map(|n| client.mul(args(n, 1)).start()).collect();
    let mut peer = peers.accept().await;
    let mut waiting = vec![peer.request().await, peer.request().await];
    for _ in 2..4 {
        assert!(peer.is_quiet().await);
        let request = waiting.remove(0);
        peer.reply(&request, sent_args(&request).a).await;
        waiting.push(peer.request().await);
    }
    for request in &waiting {
        peer.reply(request, sent_args(request).a).await;
    }
    for (n, call) in (0..).zip(&mut calls) {
        assert_eq!(soon(call).await.unwrap(), Reply { c: n });
    }
}

#[tokio::test]
async fn a_place_is_free_when_its_call_is_dropped() {
    let (network, mut peers) = FakeNetwork::new();
    let client = lazily(network.builder().max_in_flight(2));
    let mut calls: Vec<_> = (0..3).map(|n| client.mul(args(n, 1)).start()).collect();
    let mut peer = peers.accept().await;
    peer.request().await;
    peer.request().await;
    assert!(peer.is_quiet().await);
    drop(calls.remove(1));
    assert_eq!(sent_args(&peer.request().await), args(2, 1));
}

#[tokio::test]
async fn calls_that_wait_for_a_place_go_over_a_new_connection_when_theirs_is_lost() {
    let (network, mut peers) = FakeNetwork::new();
    let client = lazily(network.builder().max_in_flight(2));
    let mut calls: Vec<_> = (0..4).map(|n| client.mul(args(n, 1)).start()).collect();
    let mut first = peers.accept().await;
    first.request().await;
    first.request().await;
    assert!(first.is_quiet().await);
    drop(first);
    let mut second = peers.accept().await;
    for _ in 0..2 {
        let request = second.request().await;
        second.reply(&request, sent_args(&request).a).await;
    }
    for (n, call) in (0..).zip(&mut calls) {
        match soon(call).await {
            Ok(reply) => assert_eq!((reply, n >= 2), (Reply { c: n }, true)),
            Err(error) => assert_eq!((error.executed(), n < 2), (Executed::Maybe, true)),
        }
    }
}

#[tokio::test]
async fn a_waiting_call_that_is_dropped_leaves_its_turn_to_the_next() {
    let (network, mut peers) = FakeNetwork::new();
    let client = lazily(network.builder().max_in_flight(1));
    let first = client.mul(args(1, 1)).start();
    let mut peer = peers.accept().await;
    let request = peer.request().await;
    let second = client.mul(args(2, 1)).start();
    settle().await;
    let third = client.mul(args(3, 1)).start();
    assert!(peer.is_quiet().await);
    // The place goes to the second call, which is dropped before it can take it.
    peer.reply(&request, 1).await;
    drop(second);
    peer.serve_one(3).await;
    assert_eq!(soon(first).await.unwrap(), Reply { c: 1 });
    assert_eq!(soon(third).await.unwrap(), Reply { c: 3 });
}

#[tokio::test]
async fn a_waiting_call_that_cannot_be_encoded_leaves_its_turn_to_the_next() {
    let (network, mut peers) = FakeNetwork::new();
    let client = lazily(network.builder().max_in_flight(1));
    let odd = oddities(&client);
    let first = client.mul(args(1, 1)).start();
    let mut peer = peers.accept().await;
    let request = peer.request().await;
    let mut second = pin!(odd.one(Odd::Refused).into_future());
    assert!(support::is_pending(&mut second).await);
    let third = client.mul(args(3, 1)).start();
    assert!(peer.is_quiet().await);
    peer.reply(&request, 1).await;
    assert_eq!(soon(first).await.unwrap(), Reply { c: 1 });
    assert!(matches!(soon(second).await, Err(Error::Encode(_))));
    peer.serve_one(3).await;
    assert_eq!(soon(third).await.unwrap(), Reply { c: 3 });
}

#[tokio::test]
async fn a_waiting_call_whose_argument_panics_leaves_its_turn_to_the_next() {
    let (network, mut peers) = FakeNetwork::new();
    let client = lazily(network.builder().max_in_flight(1));
    let odd = oddities(&client);
    let first = client.mul(args(1, 1)).start();
    let mut peer = peers.accept().await;
    let request = peer.request().await;
    let second = tokio::spawn(async move { odd.one(Odd::Panics).await });
    settle().await;
    let third = client.mul(args(3, 1)).start();
    assert!(peer.is_quiet().await);
    peer.reply(&request, 1).await;
    assert_eq!(soon(first).await.unwrap(), Reply { c: 1 });
    assert!(soon(second).await.unwrap_err().is_panic());
    peer.serve_one(3).await;
    assert_eq!(soon(third).await.unwrap(), Reply { c: 3 });
}

#[tokio::test(start_paused = true)]
async fn a_waiting_call_whose_time_is_over_leaves_its_turn_to_the_next() {
    let (network, mut peers) = FakeNetwork::new();
    let client = lazily(network.builder().max_in_flight(1));
    let first = client.mul(args(1, 1)).start();
    let mut peer = peers.accept().await;
    let request = peer.request().await;
    let second = client.mul(args(2, 1)).timeout(Duration::from_secs(1));
    let mut second = pin!(second.into_future());
    assert!(support::is_pending(&mut second).await);
    let third = client.mul(args(3, 1)).start();
    assert!(peer.is_quiet().await);
    // The second call gets the place and its end at the same time.
    peer.reply(&request, 1).await;
    settle().await;
    tokio::time::advance(Duration::from_secs(1)).await;
    let error = second.await.unwrap_err();
    let Error::Timeout { after, executed } = error else { panic!("{error:?}") };
    assert_eq!((after, executed), (Duration::from_secs(1), Executed::No));
    peer.serve_one(3).await;
    assert_eq!(soon(first).await.unwrap(), Reply { c: 1 });
    assert_eq!(soon(third).await.unwrap(), Reply { c: 3 });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_calls_over_three_places_all_end() {
    let server = rpcx::Server::new().add(ArithServer::new(Calculator));
    let address = serve(server, "memory@three-places").await;
    let builder = ArithClient::builder().max_in_flight(3);
    let client = builder.connect_to(&address).await.unwrap();
    let mut calls = JoinSet::new();
    for n in 0..10_000 {
        let client = client.clone();
        calls.spawn(async move {
            match n % 10 {
                // Given up wherever it is after some turns.
                0 => {
                    let mut call = pin!(client.mul(args(n, 2)).into_future());
                    for _ in 0..n / 10 % 7 {
                        if !support::is_pending(&mut call).await {
                            return;
                        }
                        tokio::task::yield_now().await;
                    }
                }
                1 => client.note(args(n, 2)).await.unwrap(),
                2 => {
                    let result = oddities(&client).one(Odd::Refused).await;
                    assert!(matches!(result, Err(Error::Encode(_))));
                }
                _ => assert_eq!(client.mul(args(n, 2)).await.unwrap(), Reply { c: 2 * n }),
            }
        });
    }
    soon(async {
        while let Some(ended) = calls.join_next().await {
            ended.unwrap();
        }
    })
    .await;
    assert_eq!(soon(client.mul(args(2, 3)).into_future()).await.unwrap(), Reply { c: 6 });
}

#[tokio::test]
async fn a_limit_of_zero_places_is_one() {
    let (network, mut peers) = FakeNetwork::new();
    let client = lazily(network.builder().max_in_flight(0));
    let call = client.mul(args(2, 3)).start();
    peers.accept().await.serve_one(6).await;
    assert_eq!(soon(call).await.unwrap(), Reply { c: 6 });
}

#[tokio::test]
async fn a_request_beyond_the_message_limit_is_not_sent() {
    let (network, mut peers) = FakeNetwork::new();
    let client = lazily(network.builder().limits(Limits::default().max_message(100)));
    let first = client.mul(args(2, 3)).start();
    let mut peer = peers.accept().await;
    peer.serve_one(6).await;
    soon(first).await.unwrap();
    // Four lengths, two names, and MessagePack's mark and length of a byte string.
    let around = 4 * 4 + "Arith".len() + "Echo".len() + 2;
    let too_long = Bytes::from(vec![7; 101 - around]);
    let error = client.echo(too_long).await.unwrap_err();
    let Error::TooLarge { size, limit } = error else { panic!("{error:?}") };
    assert_eq!((size, limit), (101, 100));
    let fits = client.echo(Bytes::from(vec![7; 100 - around])).start();
    let request = peer.request().await;
    assert_eq!(request.as_bytes().len(), Header::LEN + 4 + 100);
    peer.send(&frame(request.header().response(Status::Normal), &[], &request.payload())).await;
    assert_eq!(soon(fits).await.unwrap().len(), 100 - around);
    assert_eq!(network.dials(), 1);
}

#[tokio::test]
async fn a_large_raw_request_beyond_the_limit_is_not_sent() {
    let (network, mut peers) = FakeNetwork::new();
    let limits = Limits::default().max_message(64 << 10);
    let client = lazily(network.builder().limits(limits).codec(SerializeType::RAW));
    let around = 4 * 4 + "Arith".len() + "Echo".len();
    let error = client.echo(Bytes::from(vec![7; (64 << 10) + 1 - around])).await.unwrap_err();
    let Error::TooLarge { size, limit } = error else { panic!("{error:?}") };
    assert_eq!((size, limit), ((64 << 10) + 1, 64 << 10));
    let fits = client.echo(Bytes::from(vec![7; (64 << 10) - around])).start();
    let request = peers.accept().await.request().await;
    assert_eq!(request.payload(), vec![7; (64 << 10) - around]);
    drop(fits);
}

#[tokio::test]
async fn too_much_metadata_is_not_sent() {
    let (network, mut peers) = FakeNetwork::new();
    let client = lazily(network.builder().limits(Limits::default().max_message(1000)));
    let call = client.mul(args(2, 3)).metadata("key", "v".repeat(1000));
    assert!(matches!(call.await, Err(Error::TooLarge { limit: 1000, .. })));
    let mut peer = peers.accept().await;
    still_works(&client, &mut peer).await;
}

#[tokio::test]
async fn metadata_that_no_server_takes_does_not_cost_other_calls_their_connection() {
    let (network, mut peers) = FakeNetwork::new();
    let (client, mut peer) = connected(&network, &mut peers).await;
    // What a receiver takes by default: 256 pairs, keys of 1 KiB.
    let pairs = (0..257).fold(client.mul(args(1, 1)), |call, n| call.metadata(n.to_string(), ""));
    let key = client.mul(args(1, 1)).metadata("k".repeat(1025), "");
    for refused in [pairs, key] {
        let mut refused = refused.into_future();
        let outcome = std::future::poll_fn(|cx| Poll::Ready(Pin::new(&mut refused).poll(cx))).await;
        let Poll::Ready(Err(error)) = outcome else { panic!("it was sent") };
        assert_eq!(error.executed(), Executed::No);
        still_works(&client, &mut peer).await;
    }
}

#[tokio::test]
async fn an_argument_that_cannot_be_encoded_leaves_the_connection_as_it_was() {
    let (network, mut peers) = FakeNetwork::new();
    let (client, mut peer) = connected(&network, &mut peers).await;
    let odd = oddities(&client);
    for error in [
        odd.one(Odd::Refused).await.unwrap_err(),
        odd.two(7, Odd::Refused).await.unwrap_err(),
        odd.one(Odd::Refused).start().await.unwrap_err(),
        odd.one(Odd::Refused).oneway().await.unwrap_err(),
        odd.one(Odd::Refused).detailed().await.result.unwrap_err(),
        odd.one(Odd::Good).codec(SerializeType::RAW).await.unwrap_err(),
        odd.one(Odd::Good).codec(SerializeType::from_id(9)).await.unwrap_err(),
    ] {
        assert!(matches!(error, Error::Encode(_)), "{error:?}");
        assert_eq!(error.executed(), Executed::No);
        still_works(&client, &mut peer).await;
    }
    assert_eq!(network.dials(), 1);
}

#[tokio::test]
async fn an_argument_that_panics_half_way_leaves_the_connection_as_it_was() {
    let (network, mut peers) = FakeNetwork::new();
    let (client, mut peer) = connected(&network, &mut peers).await;
    let waiting = client.mul(args(1, 1)).start();
    let request = peer.request().await;
    for several in [false, true] {
        let odd = oddities(&client);
        let call = tokio::spawn(async move {
            if several { odd.two(7, Odd::Panics).await } else { odd.one(Odd::Panics).await }
        });
        assert!(soon(call).await.unwrap_err().is_panic());
        still_works(&client, &mut peer).await;
    }
    peer.reply(&request, 1).await;
    assert_eq!(soon(waiting).await.unwrap(), Reply { c: 1 });
    assert_eq!(network.dials(), 1);
}

#[tokio::test]
async fn a_failed_argument_between_queued_calls_leaves_their_bytes_whole() {
    let (network, mut peers) = FakeNetwork::new();
    let (client, mut peer) = connected(&network, &mut peers).await;
    let odd = oddities(&client);
    network.gate().close();
    let first = client.mul(args(1, 1)).start();
    settle().await;
    assert!(matches!(odd.one(Odd::Refused).await, Err(Error::Encode(_))));
    let second = client.mul(args(2, 3)).start();
    settle().await;
    network.gate().open();
    peer.serve_one(1).await;
    peer.serve_one(6).await;
    assert_eq!(soon(first).await.unwrap(), Reply { c: 1 });
    assert_eq!(soon(second).await.unwrap(), Reply { c: 6 });
}

/// Asserts that a message is what Go rpcx 1.9.4 sends as a heartbeat, number `number`.
#[track_caller]
fn assert_heartbeat(message: &Message, number: i64) {
    let header = message.header();
    assert!(header.is_heartbeat() && !header.is_oneway());
    assert_eq!((header.kind(), header.serialize_type()), (Kind::Request, SerializeType::MSGPACK));
    assert_eq!((message.service_path(), message.service_method()), (&b""[..], &b""[..]));
    assert_eq!(message.metadata().len(), 0);
    assert_eq!(message.payload(), [&[0xd3][..], &number.to_be_bytes()].concat());
}

/// Sends a heartbeat back as Go rpcx 1.9.4 does.
async fn echo(peer: &mut Peer, heartbeat: &Message) {
    peer.send(&heartbeat.header().with_response().encode()).await;
    peer.send(&heartbeat.as_bytes()[Header::LEN..]).await;
}

#[tokio::test(start_paused = true)]
async fn answered_heartbeats_keep_the_connection_and_a_call_that_waits_on_it() {
    let (network, mut peers) = FakeNetwork::new();
    let client =
        lazily(network.builder().heartbeat(Duration::from_secs(10), Duration::from_secs(5)));
    let start = Instant::now();
    let call = client.mul(args(2, 3)).start();
    let mut peer = peers.accept().await;
    let request = peer.request().await;
    for number in 1..=20 {
        let heartbeat = peer.request().await;
        assert_eq!(start.elapsed().as_secs(), 10 * number);
        assert_heartbeat(&heartbeat, number.cast_signed());
        echo(&mut peer, &heartbeat).await;
    }
    peer.reply(&request, 6).await;
    assert_eq!(soon(call).await.unwrap(), Reply { c: 6 });
    assert_eq!(network.dials(), 1);
}

#[tokio::test(start_paused = true)]
async fn heartbeats_are_a_millisecond_apart_at_least_and_have_as_long() {
    let (network, mut peers) = FakeNetwork::new();
    let client = lazily(network.builder().heartbeat(Duration::ZERO, Duration::ZERO));
    let start = Instant::now();
    let _call = client.mul(args(2, 3)).start();
    let mut peer = peers.accept().await;
    peer.request().await;
    for number in 1..=20 {
        let heartbeat = peer.request().await;
        assert_heartbeat(&heartbeat, number);
        echo(&mut peer, &heartbeat).await;
    }
    assert!(start.elapsed() >= Duration::from_millis(20), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_unanswered_heartbeat_ends_the_connection_after_interval_and_wait() {
    let (network, mut peers) = FakeNetwork::new();
    let client =
        lazily(network.builder().heartbeat(Duration::from_secs(10), Duration::from_secs(5)));
    let start = Instant::now();
    let call = client.mul(args(2, 3)).start();
    let mut peer = peers.accept().await;
    peer.request().await;
    let error = call.await.unwrap_err();
    assert_eq!(start.elapsed().as_secs(), 15);
    let Error::ConnectionLost { executed, .. } = error else { panic!("{error:?}") };
    assert_eq!(executed, Executed::Maybe);
    assert_heartbeat(&peer.request().await, 1);
    assert!(peer.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_needs_no_place_among_the_calls() {
    let (network, mut peers) = FakeNetwork::new();
    let builder = network.builder().max_in_flight(1);
    let client = lazily(builder.heartbeat(Duration::from_secs(10), Duration::from_secs(5)));
    // The server lives, and takes a minute for the only call that is let through.
    let call = client.mul(args(2, 3)).start();
    let mut peer = peers.accept().await;
    let request = peer.request().await;
    for number in 1..=6 {
        let heartbeat = peer.request().await;
        assert_heartbeat(&heartbeat, number);
        echo(&mut peer, &heartbeat).await;
    }
    peer.reply(&request, 6).await;
    assert_eq!(soon(call).await.unwrap(), Reply { c: 6 });
    assert_eq!(network.dials(), 1);
}

#[tokio::test(start_paused = true)]
async fn no_heartbeat_is_sent_unless_asked_for() {
    let (network, mut peers) = FakeNetwork::new();
    let (client, mut peer) = connected(&network, &mut peers).await;
    tokio::time::advance(Duration::from_secs(3600)).await;
    assert!(peer.is_quiet().await);
    still_works(&client, &mut peer).await;
}

#[tokio::test(start_paused = true)]
async fn heartbeats_end_with_the_last_client() {
    let (network, mut peers) = FakeNetwork::new();
    let builder = network.builder().heartbeat(Duration::from_secs(10), Duration::from_secs(5));
    let client = builder.connect_to(ADDRESS).await.unwrap();
    let mut peer = peers.accept().await;
    let heartbeat = peer.request().await;
    echo(&mut peer, &heartbeat).await;
    drop(client);
    assert!(peer.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_within_a_reply_is_given_up_after_ten_seconds() {
    let (network, mut peers) = FakeNetwork::new();
    let client = network.client();
    let call = client.mul(args(2, 3)).start();
    let mut peer = peers.accept().await;
    let request = peer.request().await;
    let start = Instant::now();
    peer.send(&support::reply_to(&request, 6)[..20]).await;
    let error = call.await.unwrap_err();
    assert!(matches!(error, Error::ConnectionLost { executed: Executed::Maybe, .. }), "{error:?}");
    assert_eq!(start.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_nothing_is_given_up_after_twenty_seconds() {
    let (network, mut peers) = FakeNetwork::new();
    let client = network.client();
    network.gate().close();
    let start = Instant::now();
    let call = client.mul(args(2, 3)).start();
    let _first = peers.accept().await;
    // The call did not run, so it is repeated.
    let mut second = peers.accept().await;
    assert_eq!(start.elapsed().as_secs(), 20);
    network.gate().open();
    second.serve_one(6).await;
    assert_eq!(soon(call).await.unwrap(), Reply { c: 6 });
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_little_at_a_time_is_not_given_up() {
    let (network, mut peers) = FakeNetwork::with_buffer(8);
    let client = network.client();
    let start = Instant::now();
    let call = client.mul(args(2, 3)).start();
    let mut peer = peers.accept().await;
    // 49 bytes, 8 every 15 seconds.
    let mut bytes = bytes::BytesMut::new();
    let request = loop {
        tokio::time::advance(Duration::from_secs(15)).await;
        bytes.extend_from_slice(&peer.read_some().await);
        let decoded = Message::decode(&mut bytes, &Limits::default()).unwrap();
        if let rpcx::protocol::Decoded::Message(message) = decoded {
            break message;
        }
    };
    assert!(start.elapsed() > Duration::from_secs(60));
    peer.reply(&request, 6).await;
    assert_eq!(soon(call).await.unwrap(), Reply { c: 6 });
    assert_eq!(network.dials(), 1);
}

#[tokio::test]
async fn a_server_answers_heartbeats_without_a_token() {
    let server = rpcx::Server::new()
        .add(ArithServer::new(Calculator))
        .auth(|_| async { Err::<(), _>("nobody may call") });
    let address = serve(server, "memory@nobody-may-call").await;
    let mut duplex = NetworkConnector::new().connect(&address.parse().unwrap()).await.unwrap();
    let header = Header::request(7, SerializeType::MSGPACK).with_heartbeat();
    let heartbeat = frame(header, &[], &[0xd3, 0, 0, 0, 0, 0, 0, 0, 1]);
    for _ in 0..2 {
        duplex.writer.write_all(&heartbeat).await.unwrap();
        let mut answer = vec![0; heartbeat.len()];
        soon(duplex.reader.read_exact(&mut answer)).await.unwrap();
        assert_eq!(answer, frame(header.with_response(), &[], &[0xd3, 0, 0, 0, 0, 0, 0, 0, 1]));
    }
    // While a call is refused.
    let client = ArithClient::connect_to(&address).await.unwrap();
    let error = soon(client.mul(args(2, 3)).into_future()).await.unwrap_err();
    assert!(matches!(&error, Error::Service(text) if text == "nobody may call"), "{error:?}");
}

#[tokio::test]
async fn the_token_goes_with_every_call_and_passes_the_servers_check() {
    let server = rpcx::Server::new().add(ArithServer::new(Calculator)).auth(|request| async move {
        if request.token() == "bearer 17" { Ok(()) } else { Err("invalid token") }
    });
    let address = serve(server, "memory@token-17").await;
    let client = ArithClient::builder().auth("bearer 17").connect_to(&address).await.unwrap();
    for _ in 0..2 {
        assert_eq!(soon(client.mul(args(2, 3)).into_future()).await.unwrap(), Reply { c: 6 });
    }
    for builder in [ArithClient::builder().auth("bearer 18"), ArithClient::builder()] {
        let client = builder.connect_to(&address).await.unwrap();
        let error = soon(client.mul(args(2, 3)).into_future()).await.unwrap_err();
        assert!(matches!(&error, Error::Service(text) if text == "invalid token"), "{error:?}");
    }
}

#[tokio::test]
async fn the_clients_token_counts_more_than_one_in_the_metadata_of_a_call() {
    let (network, mut peers) = FakeNetwork::new();
    let client = lazily(network.builder().auth("the client's"));
    let call = client.mul(args(2, 3)).metadata("__AUTH", "the call's").start();
    let request = peers.accept().await.request().await;
    assert_eq!(request.metadata_value("__AUTH"), Some(&b"the client's"[..]));
    drop(call);
}

#[tokio::test]
async fn a_oneway_call_is_ready_once_the_socket_has_taken_it_and_not_before() {
    let (network, mut peers) = FakeNetwork::new();
    let (client, mut peer) = connected(&network, &mut peers).await;
    network.gate().close();
    let mut asked = pin!(client.mul(args(1, 1)).oneway());
    let mut declared = pin!(client.note(args(2, 3)).into_future());
    assert!(support::is_pending(&mut asked).await);
    assert!(support::is_pending(&mut declared).await);
    settle().await;
    assert!(support::is_pending(&mut asked).await);
    assert!(support::is_pending(&mut declared).await);
    network.gate().open();
    soon(asked).await.unwrap();
    soon(declared).await.unwrap();
    for expected in [args(1, 1), args(2, 3)] {
        let request = peer.request().await;
        assert!(request.header().is_oneway());
        assert_eq!(sent_args(&request), expected);
    }
    still_works(&client, &mut peer).await;
}

#[tokio::test]
async fn a_oneway_call_to_a_ready_socket_takes_one_poll() {
    let (network, mut peers) = FakeNetwork::new();
    let (client, mut peer) = connected(&network, &mut peers).await;
    let mut call = client.mul(args(2, 3)).oneway();
    let polled = std::future::poll_fn(|cx| Poll::Ready(Pin::new(&mut call).poll(cx)));
    assert!(matches!(polled.await, Poll::Ready(Ok(()))));
    assert_eq!(sent_args(&peer.request().await), args(2, 3));
}

#[tokio::test]
async fn oneway_calls_take_places_only_until_they_are_sent() {
    let (network, mut peers) = FakeNetwork::new();
    let client = lazily(network.builder().max_in_flight(1));
    for n in 0..5 {
        soon(client.note(args(n, 1)).into_future()).await.unwrap();
    }
    let mut peer = peers.accept().await;
    for n in 0..5 {
        assert_eq!(sent_args(&peer.request().await), args(n, 1));
    }
    still_works(&client, &mut peer).await;
}

#[tokio::test]
async fn a_oneway_call_on_a_connection_that_ends_first_fails() {
    let (network, mut peers) = FakeNetwork::with_buffer(8);
    let client = network.client();
    let call = client.note(args(2, 3)).into_future();
    let end = async {
        let peer = peers.accept().await;
        settle().await;
        drop(peer);
    };
    let (result, ()) = tokio::join!(soon(call), end);
    let error = result.unwrap_err();
    assert!(matches!(error, Error::ConnectionLost { executed: Executed::Maybe, .. }), "{error:?}");
}

/// What must not show.
const CANARY: &str = "canary-4711";

#[track_caller]
fn assert_secret(shown: &str) {
    assert!(!shown.is_empty());
    assert!(!shown.contains(CANARY), "{shown}");
}

/// Everything that an error shows of itself.
fn all_of(error: &Error) -> String {
    use std::error::Error as _;

    let mut all = format!("{error} {error:?} {error:#?}");
    let mut source = error.source();
    while let Some(error) = source {
        all = format!("{all} {error} {error:?}");
        source = error.source();
    }
    all
}

#[tokio::test]
async fn neither_token_nor_metadata_nor_arguments_show_in_debug() {
    let (network, _peers) = FakeNetwork::new();
    let builder = network.builder().auth(CANARY);
    assert_secret(&format!("{builder:?} {builder:#?}"));
    let client = lazily(builder);
    assert_secret(&format!("{client:?} {client:#?} {:?}", client.channel()));
    let call = || client.echo(Bytes::from(CANARY)).metadata("key", CANARY);
    assert_secret(&format!("{:?} {:#?}", call(), call()));
    assert_secret(&format!("{:?}", call().into_future()));
    assert_secret(&format!("{:?}", call().detailed()));
    assert_secret(&format!("{:?}", call().oneway()));
    assert_secret(&format!("{:?}", call().start()));
}

#[tokio::test(start_paused = true)]
async fn neither_token_nor_metadata_nor_arguments_show_in_errors() {
    let (network, mut peers) = FakeNetwork::new();
    network.script([support::Dial::Refused]);
    let builder = network.builder().auth(CANARY).limits(Limits::default().max_message(2000));
    let client = lazily(builder);
    let call = || client.echo(Bytes::from(CANARY)).metadata("key", CANARY);
    let connect = call().await.unwrap_err();
    assert!(matches!(connect, Error::Connect { .. }));

    let lost = call().start();
    peers.accept().await.request().await;
    let lost = lost.await.unwrap_err();
    assert!(matches!(lost, Error::ConnectionLost { .. }));

    let decode = call().start();
    let mut peer = peers.accept().await;
    let request = peer.request().await;
    let text = [&[0xab][..], CANARY.as_bytes()].concat();
    let header = request.header().response(Status::Normal);
    peer.send(&frame(header, &[("key", CANARY)], &[&[0x81][..], &text, &text].concat())).await;
    let decode = decode.await.unwrap_err();
    assert!(matches!(decode, Error::Decode(_)), "{decode:?}");

    let timeout = call().timeout(Duration::from_secs(1)).await.unwrap_err();
    assert!(matches!(timeout, Error::Timeout { .. }));
    let large = call().metadata("large", CANARY.repeat(1000)).await.unwrap_err();
    assert!(matches!(large, Error::TooLarge { .. }));
    let encode = call().codec(SerializeType::from_id(9)).await.unwrap_err();
    assert!(matches!(encode, Error::Encode(_)));
    for error in [connect, lost, decode, timeout, large, encode] {
        assert_secret(&all_of(&error));
    }
}

#[tokio::test]
async fn what_a_server_sends_does_not_show_in_debug() {
    let (network, mut peers) = FakeNetwork::new();
    let (sink, mut pushes) = tokio::sync::mpsc::unbounded_channel();
    let client = lazily(network.builder().on_push(move |push: Push| drop(sink.send(push))));
    let call = client.mul(args(2, 3)).detailed();
    let server = async {
        let mut peer = peers.accept().await;
        let request = peer.request().await;
        peer.send(&frame(Header::push(1), &[("key", CANARY)], CANARY.as_bytes())).await;
        let header = request.header().response(Status::Normal);
        peer.send(&frame(header, &[("key", CANARY)], &product(6))).await;
        peer.send(&error_to(&request, &[("key", CANARY)])).await;
    };
    let (detailed, ()) = tokio::join!(soon(call), server);
    assert_eq!(detailed.metadata.get("key"), Some(CANARY));
    assert_secret(&format!("{detailed:?} {detailed:#?}"));
    let push = soon(pushes.recv()).await.unwrap();
    assert_eq!(push.payload()[..], *CANARY.as_bytes());
    assert_secret(&format!("{push:?} {push:#?}"));
}
