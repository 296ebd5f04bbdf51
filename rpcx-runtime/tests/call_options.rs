//! What can be said about a call, a client and a service, and what of it counts most.
#![cfg(feature = "macros")]

use std::future::IntoFuture as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use rpcx::client::{Channel, ClientBuilder};
use rpcx::protocol::{Message, SerializeType};
use rpcx::{Bytes, Client as _, Context, Error, Executed, Metadata, Result, Server, ServiceError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio::time::Instant;

#[path = "support/client.rs"]
#[allow(dead_code, reason = "each test file uses a part")]
mod support;

use support::{
    ADDRESS, Arith, ArithClient, ArithServer, Calculator, FakeNetwork, Reply, args, serve, settle,
    soon,
};

/// The milliseconds that a request leaves its server.
fn milliseconds(request: &Message) -> Option<u64> {
    let value = request.metadata_value("__ServerTimeout")?;
    Some(std::str::from_utf8(value).unwrap().parse().unwrap())
}

/// The paths of a service whose methods have timeouts of their own, or not.
#[rpcx::service]
#[rpcx(timeout = "30s")]
trait Timed {
    #[rpcx(timeout = "3s")]
    async fn quick(&self) -> Result<()>;
    async fn slow(&self) -> Result<()>;
    async fn nested(&self, context: &Context) -> Result<()>;
}

fn timed(network: &FakeNetwork, builder: ClientBuilder<TimedClient>) -> TimedClient {
    builder.connector(network.clone()).connect_lazily(ADDRESS).unwrap()
}

/// Takes `Timeout` apart.
#[track_caller]
fn timeout<T: std::fmt::Debug>(result: Result<T>) -> (u64, Executed) {
    match result {
        Err(Error::Timeout { after, executed }) => {
            assert_eq!(after.subsec_nanos(), 0);
            (after.as_secs(), executed)
        }
        other => panic!("expected a timeout, got {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn the_timeout_of_the_call_counts_before_the_builders_and_that_before_the_attributes() {
    let (network, mut peers) = FakeNetwork::new();
    let plain = timed(&network, TimedClient::builder());
    let told = timed(&network, TimedClient::builder().timeout(Duration::from_secs(20)));
    let call = |seconds| Some(Duration::from_secs(seconds));
    for (client, quick, own, seconds) in [
        (&plain, false, None, 30),
        (&plain, true, None, 3),
        (&plain, true, call(10), 10),
        (&told, false, None, 20),
        (&told, true, None, 20),
        (&told, true, call(10), 10),
        (&told, false, call(25), 25),
    ] {
        let request = if quick { client.quick() } else { client.slow() };
        let request = match own {
            Some(own) => request.timeout(own),
            None => request,
        };
        let start = Instant::now();
        let result = request.await;
        assert_eq!(timeout(result), (seconds, Executed::Maybe));
        assert_eq!(start.elapsed().as_secs(), seconds);
    }
    // The server is told what is left.
    let mut first = peers.accept().await;
    for seconds in [30, 3, 10] {
        assert_eq!(milliseconds(&first.request().await), Some(1000 * seconds));
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_without_a_timeout_waits() {
    let (network, mut peers) = FakeNetwork::new();
    let client = network.client();
    let call = client.mul(args(2, 3)).start();
    let mut peer = peers.accept().await;
    let request = peer.request().await;
    assert_eq!(milliseconds(&request), None);
    tokio::time::advance(Duration::from_secs(24 * 3600)).await;
    peer.reply(&request, 6).await;
    assert_eq!(soon(call).await.unwrap(), Reply { c: 6 });
}

#[tokio::test(start_paused = true)]
async fn the_server_is_told_what_is_left_after_connecting() {
    let (network, mut peers) = FakeNetwork::new();
    network.script([support::Dial::Held]);
    let builder = network.builder().connect_timeout(Duration::from_secs(60));
    let client = support::lazily(builder);
    let call = client.mul(args(2, 3)).timeout(Duration::from_secs(5)).start();
    settle().await;
    tokio::time::advance(Duration::from_secs(2)).await;
    network.release_dial();
    let mut peer = peers.accept().await;
    assert_eq!(milliseconds(&peer.request().await), Some(3000));
    assert_eq!(timeout(call.await), (5, Executed::Maybe));
}

#[tokio::test(start_paused = true)]
async fn a_call_with_no_time_left_is_not_sent() {
    let (network, mut peers) = FakeNetwork::new();
    let client = network.builder().connect_to(ADDRESS).await.unwrap();
    let result = client.mul(args(2, 3)).timeout(Duration::ZERO).await;
    assert_eq!(timeout(result), (0, Executed::No));
    assert!(peers.accept().await.is_quiet().await);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_that_the_clock_cannot_hold_is_none() {
    let (network, mut peers) = FakeNetwork::new();
    let client = network.client();
    let call = client.mul(args(2, 3)).timeout(Duration::MAX).start();
    let mut peer = peers.accept().await;
    let request = peer.request().await;
    assert_eq!(milliseconds(&request), None);
    peer.reply(&request, 6).await;
    assert_eq!(soon(call).await.unwrap(), Reply { c: 6 });
}

/// A service that calls another one within its own calls.
struct Middle<T>(T);

impl<T: Timed> Timed for Middle<T> {
    async fn quick(&self) -> Result<()> {
        self.0.quick().await
    }

    async fn slow(&self) -> Result<()> {
        self.0.slow().await
    }

    async fn nested(&self, context: &Context) -> Result<()> {
        self.0.nested(context).await
    }
}

/// A server in front of a scripted one.
async fn in_front(network: &FakeNetwork, name: &str) -> TimedClient {
    let behind = timed(network, TimedClient::builder());
    let server = Server::new().add(TimedServer::new(Middle(behind)));
    TimedClient::connect_to(&serve(server, name).await).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_nested_call_with_the_context_ends_no_later_than_its_caller() {
    let (network, mut peers) = FakeNetwork::new();
    let client = in_front(&network, "memory@nested").await;
    let start = Instant::now();
    let call = client.nested().timeout(Duration::from_secs(2)).start();
    let mut peer = peers.accept().await;
    let request = peer.request().await;
    assert_eq!(milliseconds(&request), Some(2000));
    assert_eq!(timeout(call.await), (2, Executed::Maybe));
    assert_eq!(start.elapsed().as_secs(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_at_the_deadline_that_it_is_over_gives_a_timeout() {
    let (network, mut peers) = FakeNetwork::new();
    let client = network.client();
    let mut peer = None;
    for (milliseconds, over) in [(4990, false), (4999, true)] {
        let call = client.mul(args(2, 3)).timeout(Duration::from_secs(5)).start();
        let peer = match &mut peer {
            Some(peer) => peer,
            none => none.insert(peers.accept().await),
        };
        let request = peer.request().await;
        tokio::time::advance(Duration::from_millis(milliseconds)).await;
        let text = "context deadline exceeded";
        peer.send(&support::error_to(&request, &[("__rpcx_error__", text)])).await;
        let result = call.await;
        if over {
            assert_eq!(timeout(result), (5, Executed::Maybe));
        } else {
            // Long before the end it is the service's own text.
            assert!(matches!(&result, Err(Error::Service(found)) if found == text), "{result:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_nested_call_with_less_time_of_its_own_keeps_it() {
    let (network, mut peers) = FakeNetwork::new();
    let client = in_front(&network, "memory@nested-own").await;
    let _call = client.nested().timeout(Duration::from_secs(3600)).start();
    let request = peers.accept().await.request().await;
    assert_eq!(milliseconds(&request), Some(30_000));
}

#[tokio::test(start_paused = true)]
async fn a_nested_call_without_the_context_inherits_nothing() {
    let (network, mut peers) = FakeNetwork::new();
    let client = in_front(&network, "memory@nested-without").await;
    let _call = client.slow().timeout(Duration::from_secs(2)).metadata("trace", "1").start();
    let request = peers.accept().await.request().await;
    assert_eq!(milliseconds(&request), Some(30_000));
    assert_eq!(request.metadata().get("trace"), None);
}

#[tokio::test(start_paused = true)]
async fn a_nested_call_does_not_pass_tokens_on() {
    let (network, mut peers) = FakeNetwork::new();
    let client = in_front(&network, "memory@nested-token").await;
    let _call = client.nested().metadata("__AUTH", "secret").metadata("trace", "1").start();
    let request = peers.accept().await.request().await;
    let metadata = request.metadata();
    let keys: Vec<_> = metadata.iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["__ServerTimeout"]);
}

/// A service that looks at what comes beside its arguments.
#[rpcx::service]
#[rpcx(rename_all = "camelCase")]
trait Beside {
    async fn all_keys(&self, context: &Context) -> Result<Vec<String>>;
    async fn fail_loudly(&self, context: &Context, text: &str) -> Result<i64>;
    #[rpcx(name = "Renamed", alias = ["Old", "Older"])]
    async fn seen_as(&self, context: &Context) -> Result<String>;
    #[rpcx(oneway)]
    async fn count(&self, by: i64) -> Result<()>;
    async fn counted(&self) -> Result<i64>;
    async fn twice(&self, data: Bytes) -> Result<Bytes>;
}

#[derive(Default)]
struct Besides {
    count: AtomicI64,
    counted: tokio::sync::Notify,
}

impl Beside for Arc<Besides> {
    async fn all_keys(&self, context: &Context) -> Result<Vec<String>> {
        for (key, value) in context.metadata().iter() {
            context.set_response_metadata(format!("echo-{key}"), value);
        }
        let mut keys: Vec<_> = context.metadata().iter().map(|(key, _)| key.to_owned()).collect();
        keys.sort();
        Ok(keys)
    }

    async fn fail_loudly(&self, context: &Context, text: &str) -> Result<i64> {
        context.set_response_metadata("hint", "louder");
        Err(Error::service(text))
    }

    async fn seen_as(&self, context: &Context) -> Result<String> {
        Ok(format!("{}.{}", context.service_path(), context.service_method()))
    }

    async fn count(&self, by: i64) -> Result<()> {
        self.count.fetch_add(by, Ordering::SeqCst);
        self.counted.notify_one();
        Err(Error::service("nobody hears this"))
    }

    async fn counted(&self) -> Result<i64> {
        self.counted.notified().await;
        Ok(self.count.load(Ordering::SeqCst))
    }

    async fn twice(&self, data: Bytes) -> Result<Bytes> {
        Ok(Bytes::from([&data[..], &data[..]].concat()))
    }
}

async fn beside(name: &str) -> [BesideClient; 2] {
    let mut clients = Vec::new();
    for address in ["tcp@127.0.0.1:0", name] {
        let server = Server::new().add(BesideServer::new(Arc::new(Besides::default())));
        let address = serve(server, address).await;
        clients.push(soon(BesideClient::connect_to(&address)).await.unwrap());
    }
    clients.try_into().expect("two addresses")
}

#[tokio::test]
async fn metadata_goes_with_the_request_and_comes_back_with_the_reply() {
    for client in beside("memory@metadata").await {
        let call = client.all_keys().metadata("trace", "17").metadata("ключ", "значение");
        let detailed = soon(call.timeout(Duration::from_secs(25)).detailed()).await;
        assert_eq!(detailed.result.unwrap(), ["trace", "ключ"]);
        let expected: Metadata =
            [("echo-trace", "17"), ("echo-ключ", "значение")].into_iter().collect();
        assert_eq!(detailed.metadata, expected);
        assert_eq!(detailed.address.as_slice(), client.channel().servers());
    }
}

#[tokio::test]
async fn the_last_value_of_a_metadata_key_counts() {
    for client in beside("memory@metadata-last").await {
        let call = client.all_keys().metadata("key", "1").metadata("key", "2");
        let detailed = soon(call.detailed()).await;
        assert_eq!(detailed.metadata.get("echo-key"), Some("2"));
    }
}

#[tokio::test]
async fn a_detailed_error_has_its_metadata_without_the_text_of_the_error() {
    for client in beside("memory@detailed-error").await {
        let detailed = soon(client.fail_loudly("no").detailed()).await;
        let error = detailed.result.unwrap_err();
        assert!(matches!(&error, Error::Service(text) if text == "no"), "{error:?}");
        let expected: Metadata = [("hint", "louder")].into_iter().collect();
        assert_eq!(detailed.metadata, expected);
    }
}

#[tokio::test]
async fn a_detailed_call_that_cannot_connect_has_no_metadata() {
    let client = BesideClient::builder().connect_lazily("memory@detailed-nobody").unwrap();
    let detailed = client.counted().detailed().await;
    assert!(matches!(detailed.result, Err(Error::Connect { .. })));
    assert_eq!(detailed.metadata, Metadata::new());
    assert_eq!(detailed.address.unwrap().to_string(), "memory@detailed-nobody");
}

#[tokio::test]
async fn a_oneway_call_runs_and_its_error_is_never_known() {
    for client in beside("memory@oneway").await {
        soon(client.count(3).into_future()).await.unwrap();
        assert_eq!(soon(client.counted().into_future()).await.unwrap(), 3);
        soon(client.count(4).oneway()).await.unwrap();
        assert_eq!(soon(client.counted().into_future()).await.unwrap(), 7);
        soon(client.count(5).start()).await.unwrap();
        assert_eq!(soon(client.counted().into_future()).await.unwrap(), 12);
        soon(client.count(6).detailed()).await.result.unwrap();
        assert_eq!(soon(client.counted().into_future()).await.unwrap(), 18);
        // Any method can be called one-way.
        soon(client.fail_loudly("no").oneway()).await.unwrap();
    }
}

#[tokio::test]
async fn started_calls_run_at_the_same_time_in_a_join_set() {
    for address in ["tcp@127.0.0.1:0", "memory@join-set"] {
        let server = Server::new().add(ArithServer::new(Calculator));
        let client = ArithClient::connect_to(&serve(server, address).await).await.unwrap();
        let mut calls = JoinSet::new();
        for n in 0..100 {
            calls.spawn(client.mul(args(n, n)).start());
        }
        drop(client);
        let mut replies: Vec<_> =
            soon(calls.join_all()).await.into_iter().map(|reply| reply.unwrap().c).collect();
        replies.sort_unstable();
        assert_eq!(replies, (0..100).map(|n| n * n).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_started_call_keeps_all_its_options() {
    let (network, mut peers) = FakeNetwork::new();
    let client = network.client();
    let call = client.mul(args(2, 3)).metadata("trace", "1").timeout(Duration::from_secs(25));
    let call = call.start();
    let mut peer = peers.accept().await;
    let request = peer.request().await;
    assert_eq!(request.metadata().get("trace"), Some("1"));
    assert!(milliseconds(&request).is_some_and(|left| (1..=25_000).contains(&left)));
    peer.reply(&request, 6).await;
    assert_eq!(soon(call).await.unwrap(), Reply { c: 6 });
}

/// Works with whatever multiplies.
async fn square(arith: &impl Arith, n: i64) -> Result<i64> {
    arith.mul(args(n, n)).await.map(|reply| reply.c)
}

#[tokio::test]
async fn code_over_the_trait_takes_the_service_itself_or_a_client_of_it() {
    assert_eq!(square(&Calculator, 12).await.unwrap(), 144);
    for address in ["tcp@127.0.0.1:0", "memory@generic"] {
        let server = Server::new().add(ArithServer::new(Calculator));
        let client = ArithClient::connect_to(&serve(server, address).await).await.unwrap();
        assert_eq!(soon(square(&client, 12)).await.unwrap(), 144);
        soon(Arith::note(&client, args(1, 2))).await.unwrap();
    }
}

#[tokio::test]
async fn a_client_can_be_served_as_the_service() {
    let address = serve(Server::new().add(ArithServer::new(Calculator)), "memory@behind").await;
    let behind = ArithClient::connect_to(&address).await.unwrap();
    let address = serve(Server::new().add(ArithServer::new(behind)), "memory@before").await;
    let before = ArithClient::connect_to(&address).await.unwrap();
    assert_eq!(soon(before.mul(args(2, 3)).into_future()).await.unwrap(), Reply { c: 6 });
}

#[tokio::test]
async fn names_on_the_wire_follow_the_rules_of_the_trait() {
    for client in beside("memory@names").await {
        assert_eq!(soon(client.seen_as().into_future()).await.unwrap(), "Beside.Renamed");
        let named = OtherNamesClient::new(client.channel().clone());
        assert_eq!(soon(named.old().into_future()).await.unwrap(), "Beside.Old");
        assert_eq!(soon(named.older().into_future()).await.unwrap(), "Beside.Older");
        assert_eq!(soon(named.all_keys().into_future()).await.unwrap(), Vec::<String>::new());
        let error = soon(named.seen_as().into_future()).await.unwrap_err();
        let expected = "rpcx: can't find method SeenAs";
        assert!(matches!(&error, Error::Service(text) if text == expected), "{error:?}");
    }
}

/// Methods of `Beside` by their other names.
#[rpcx::service]
#[rpcx(name = "Beside", server = false)]
trait OtherNames {
    async fn old(&self) -> Result<String>;
    async fn older(&self) -> Result<String>;
    #[rpcx(name = "allKeys")]
    async fn all_keys(&self) -> Result<Vec<String>>;
    async fn seen_as(&self) -> Result<String>;
}

#[derive(Debug, PartialEq)]
enum StockError {
    SoldOut { left: u32 },
    Transport(Executed),
    Other(String),
}

impl ServiceError for StockError {
    fn to_wire(&self) -> String {
        match self {
            Self::SoldOut { left } => format!("sold out, {left} left"),
            Self::Transport(executed) => executed.to_string(),
            Self::Other(text) => text.clone(),
        }
    }

    fn from_wire(error: Error) -> Self {
        let text = match error {
            Error::Service(text) => text,
            other => return Self::Transport(other.executed()),
        };
        let left = text.strip_prefix("sold out, ").and_then(|rest| rest.strip_suffix(" left"));
        match left.and_then(|left| left.parse().ok()) {
            Some(left) => Self::SoldOut { left },
            None => Self::Other(text),
        }
    }
}

#[rpcx::service]
trait Stock {
    async fn take(&self, count: u32) -> std::result::Result<u32, StockError>;
}

struct Shelf;

impl Stock for Shelf {
    async fn take(&self, count: u32) -> std::result::Result<u32, StockError> {
        match count {
            0 => Err(StockError::Other(String::new())),
            1..=3 => Ok(3 - count),
            _ => Err(StockError::SoldOut { left: 3 }),
        }
    }
}

#[tokio::test]
async fn an_error_type_of_ones_own_arrives_as_it_was_returned() {
    for address in ["tcp@127.0.0.1:0", "memory@own-error"] {
        let server = Server::new().add(StockServer::new(Shelf));
        let client = StockClient::connect_to(&serve(server, address).await).await.unwrap();
        assert_eq!(soon(client.take(2).into_future()).await, Ok(1));
        let sold_out = StockError::SoldOut { left: 3 };
        assert_eq!(soon(client.take(4).into_future()).await.unwrap_err(), sold_out);
        assert_eq!(soon(client.take(4).start()).await.unwrap_err(), sold_out);
        assert_eq!(soon(client.take(4).detailed()).await.result.unwrap_err(), sold_out);
        assert_eq!(soon(Stock::take(&client, 4)).await.unwrap_err(), sold_out);
        let empty = StockError::Other(String::new());
        assert_eq!(soon(client.take(0).into_future()).await.unwrap_err(), empty);
    }
}

#[tokio::test]
async fn an_error_type_of_ones_own_takes_in_what_kept_the_reply_from_coming() {
    let client = StockClient::builder().connect_lazily("memory@no-stock").unwrap();
    let unreachable = StockError::Transport(Executed::No);
    assert_eq!(client.take(1).await.unwrap_err(), unreachable);
    assert_eq!(client.take(1).oneway().await.unwrap_err(), unreachable);
    assert_eq!(client.take(1).start().await.unwrap_err(), unreachable);
    let wrong_codec = client.take(1).codec(SerializeType::from_id(9));
    assert_eq!(wrong_codec.start().await.unwrap_err(), unreachable);
}

/// A service over any type of value, with a body that need not be written again.
#[rpcx::service]
trait Store<T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static> {
    async fn swap(&self, value: T) -> Result<T>;

    async fn swap_twice(&self, first: T, second: T) -> Result<T> {
        self.swap(first).await?;
        self.swap(second).await
    }

    #[rpcx(local)]
    fn name(&self) -> String {
        "a store".to_owned()
    }
}

struct Cell<T>(std::sync::Mutex<T>);

impl<T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static> Store<T> for Cell<T> {
    async fn swap(&self, value: T) -> Result<T> {
        Ok(std::mem::replace(&mut *self.0.lock().unwrap(), value))
    }
}

#[tokio::test]
async fn a_generic_trait_serves_and_is_called_with_each_type() {
    let texts = Server::new().add(StoreServer::new(Cell(String::from("first").into())));
    let client: StoreClient<String> =
        StoreClient::connect_to(&serve(texts, "memory@store-text").await).await.unwrap();
    assert_eq!(soon(client.swap("second").into_future()).await.unwrap(), "first");
    assert_eq!(soon(client.swap("third").into_future()).await.unwrap(), "second");

    let numbers = Server::new().add(StoreServer::new(Cell(args(1, 2).into())));
    let client: StoreClient<support::Args> =
        StoreClient::connect_to(&serve(numbers, "memory@store-args").await).await.unwrap();
    assert_eq!(soon(client.swap(args(3, 4)).into_future()).await.unwrap(), args(1, 2));
}

#[tokio::test]
async fn a_default_body_is_served() {
    let server = Server::new().add(StoreServer::new(Cell(7i64.into())));
    let client: StoreClient<i64> =
        StoreClient::connect_to(&serve(server, "memory@store-default").await).await.unwrap();
    assert_eq!(soon(client.swap_twice(8, 9).into_future()).await.unwrap(), 8);
    assert_eq!(soon(client.swap(0).into_future()).await.unwrap(), 9);
    assert_eq!(Store::<i64>::name(&client), "a store");
}

#[tokio::test]
async fn clients_of_several_services_share_one_connection() {
    let (network, mut peers) = FakeNetwork::new();
    let builder = Channel::builder().connector(network.clone());
    let channel = builder.connect_lazily(ADDRESS).unwrap();
    let arith = ArithClient::new(channel.clone());
    let stock = StockClient::new(channel.clone());
    let started = (arith.mul(args(2, 3)).start(), stock.take(1).start());
    let mut peer = peers.accept().await;
    let paths = [peer.request().await, peer.request().await];
    assert_eq!(paths.map(|request| request.service_path().to_vec()), [b"Arith", b"Stock"]);
    assert_eq!(network.dials(), 1);
    drop(started);
}

#[cfg(feature = "json")]
#[tokio::test]
async fn the_codec_of_the_call_counts_before_the_builders_and_that_before_the_attributes() {
    let (network, mut peers) = FakeNetwork::new();
    let builder = RawServiceClient::builder().connector(network.clone());
    let plain = builder.connect_lazily(ADDRESS).unwrap();
    let builder = RawServiceClient::builder().connector(network.clone());
    let told = builder.codec(SerializeType::MSGPACK).connect_lazily(ADDRESS).unwrap();
    let own = SerializeType::JSON;
    let data = Bytes::from("x");
    let call = plain.echo(&data).start();
    let mut peer = peers.accept().await;
    assert_eq!(codec_of(&mut peer).await, SerializeType::RAW);
    let _second = plain.echo(&data).codec(own).start();
    assert_eq!(codec_of(&mut peer).await, own);
    drop(call);
    let _third = told.echo(&data).start();
    let mut peer = peers.accept().await;
    assert_eq!(codec_of(&mut peer).await, SerializeType::MSGPACK);
    let _fourth = told.echo(&data).codec(own).start();
    assert_eq!(codec_of(&mut peer).await, own);
}

#[cfg(feature = "json")]
async fn codec_of(peer: &mut support::Peer) -> SerializeType {
    peer.request().await.header().serialize_type()
}

#[cfg(feature = "json")]
#[rpcx::service]
#[rpcx(codec = "raw", server = false)]
trait RawService {
    async fn echo(&self, data: Bytes) -> Result<Bytes>;
}

#[cfg(feature = "gzip")]
mod compressed {
    use rpcx::protocol::{Compression, Compressor as _, Gzip};

    use super::*;

    #[rpcx::service]
    #[rpcx(name = "Beside", rename_all = "camelCase", compress = "gzip", server = false)]
    trait Packed {
        async fn twice(&self, data: Bytes) -> Result<Bytes>;
    }

    /// A request whose arguments are `MessagePack` of that many bytes.
    async fn sent(start: impl FnOnce(&Channel, Bytes), size: usize) -> Message {
        let (network, mut peers) = FakeNetwork::new();
        let builder = Channel::builder().connector(network.clone());
        let channel = builder.connect_lazily(ADDRESS).unwrap();
        start(&channel, Bytes::from(vec![7; size - 3]));
        peers.accept().await.request().await
    }

    #[tokio::test]
    async fn arguments_of_more_than_1024_bytes_are_compressed_if_asked_for() {
        for (size, compressed) in [(1024, false), (1025, true)] {
            let asked = |channel: &Channel, data| {
                let client = BesideClient::new(channel.clone());
                let call = client.twice(data).compress(Compression::GZIP).start();
                tokio::spawn(call);
            };
            let declared = |channel: &Channel, data| {
                let client = PackedClient::new(channel.clone());
                tokio::spawn(client.twice(data).start());
            };
            for request in [sent(asked, size).await, sent(declared, size).await] {
                let header = request.header();
                if compressed {
                    assert_eq!(header.compression(), Compression::GZIP);
                    assert!(request.payload().len() < 100);
                    let payload = Gzip::default().decompress(&request.payload(), 2000).unwrap();
                    assert_eq!(payload.len(), size);
                } else {
                    assert_eq!(header.compression(), Compression::NONE);
                    assert_eq!(request.payload().len(), size);
                }
            }
        }
    }

    #[tokio::test]
    async fn the_compression_of_the_call_counts_before_the_attributes() {
        let none = |channel: &Channel, data| {
            let client = PackedClient::new(channel.clone());
            tokio::spawn(client.twice(data).compress(Compression::NONE).start());
        };
        let request = sent(none, 2000).await;
        assert_eq!(request.header().compression(), Compression::NONE);
    }

    #[tokio::test]
    async fn a_compressed_call_is_answered() {
        for client in beside("memory@compressed").await {
            for size in [1, 512, 600, 2000, 100_000] {
                let data = Bytes::from(vec![7; size]);
                let call = client.twice(&data).compress(Compression::GZIP);
                let reply = soon(call.into_future()).await.unwrap();
                assert_eq!(reply[..], vec![7; 2 * size][..]);
            }
        }
    }

    #[tokio::test]
    async fn a_compression_that_nobody_registered_cannot_be_used() {
        for client in beside("memory@unknown-compression").await {
            let call = client.twice(Bytes::from(vec![7; 2000])).compress(Compression::from_id(5));
            let error = soon(call.into_future()).await.unwrap_err();
            assert!(matches!(error, Error::Encode(_)), "{error:?}");
        }
    }
}

/// Types that a reply may be without being an argument of any kind.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
enum Shape {
    Point,
    Circle(f64),
    Square { side: u32 },
}

#[rpcx::service]
trait Shapes {
    async fn all(&self) -> Result<Vec<Shape>>;
}

struct Drawing;

impl Shapes for Drawing {
    async fn all(&self) -> Result<Vec<Shape>> {
        Ok(vec![Shape::Point, Shape::Circle(0.5), Shape::Square { side: 3 }])
    }
}

#[tokio::test]
async fn enums_travel_in_each_codec() {
    let address = serve(Server::new().add(ShapesServer::new(Drawing)), "memory@shapes").await;
    let client = ShapesClient::connect_to(&address).await.unwrap();
    let expected = [Shape::Point, Shape::Circle(0.5), Shape::Square { side: 3 }];
    assert_eq!(client.all().await.unwrap(), expected);
    #[cfg(feature = "json")]
    assert_eq!(client.all().codec(SerializeType::JSON).await.unwrap(), expected);
}
