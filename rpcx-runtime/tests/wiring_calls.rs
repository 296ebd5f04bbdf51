//! What becomes of calls when servers fail, come and go.
#![cfg(feature = "macros")]

use std::future::{Future, IntoFuture as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rpcx::client::ClientBuilder;
use rpcx::codec;
use rpcx::protocol::SerializeType;
use rpcx::registry::MultipleServers;
use rpcx::transport::{ConnectFuture, Connector};
use rpcx::{Address, Client as _, Error, Executed, FailMode, Instance, Result, SelectMode};
use tokio::time::Instant;

#[path = "support/client.rs"]
#[allow(dead_code, reason = "each test file uses a part")]
mod support;

use support::{
    Args, ArithClient, Dial, FakeNetwork, Peer, Peers, Reply, args, error_to, settle, soon,
};

/// Says at every place what a call does when a server fails.
#[rpcx::service]
#[rpcx(fail_mode = "failover")]
trait Moded {
    /// Is as the trait says.
    async fn plain(&self) -> Result<i64>;

    /// Says so itself.
    #[rpcx(fail_mode = "failfast")]
    async fn own(&self) -> Result<i64>;
}

/// A network of several servers: the script and the peers are those of all, in the order of dials.
#[derive(Clone, Debug)]
struct Servers {
    network: FakeNetwork,
    dialed: Arc<Mutex<Vec<String>>>,
}

impl Connector for Servers {
    fn connect(&self, address: &Address) -> ConnectFuture {
        let mut dialed = self.dialed.lock().unwrap_or_else(PoisonError::into_inner);
        dialed.push(address.target().to_owned());
        self.network.connect(address)
    }
}

impl Servers {
    fn new() -> (Self, Peers) {
        let (network, peers) = FakeNetwork::new();
        (Self { network, dialed: Arc::default() }, peers)
    }

    /// Makes a network on which nobody can be reached.
    fn dead() -> Self {
        let (servers, _) = Self::new();
        servers.network.script([Dial::Refused; 100]);
        servers
    }

    /// Gives the servers that were dialed since the last look.
    fn dialed(&self) -> Vec<String> {
        std::mem::take(&mut self.dialed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn builder(&self, names: &[&str]) -> ClientBuilder<ArithClient> {
        ArithClient::builder().connector(self.clone()).registry(list(names))
    }

    async fn client(&self, names: &[&str]) -> ArithClient {
        connect(self.builder(names)).await
    }
}

fn list(names: &[&str]) -> MultipleServers {
    MultipleServers::of(instances(names))
}

fn instances(names: &[&str]) -> Vec<Instance> {
    let instance = |name| Instance::new(format!("memory@{name}").parse().unwrap());
    names.iter().map(instance).collect()
}

async fn connect<C: rpcx::Client>(builder: ClientBuilder<C>) -> C {
    soon(builder.connect()).await.expect("a list is always there")
}

async fn mul(client: &ArithClient) -> Result<Reply> {
    soon(client.mul(args(6, 7)).into_future()).await
}

async fn add(client: &ArithClient) -> Result<Reply> {
    soon(client.add(args(6, 7)).into_future()).await
}

/// Takes a request of the next connection and ends the connection without an answer.
async fn take_and_end(peers: &mut Peers) {
    let mut peer = peers.accept().await;
    peer.request().await;
}

/// Answers one request of the next connection.
async fn take_and_answer(peers: &mut Peers, c: i64) -> Peer {
    let mut peer = peers.accept().await;
    peer.serve_one(c).await;
    peer
}

fn assert_refused<T: std::fmt::Debug>(result: Result<T>) {
    let error = result.unwrap_err();
    assert!(matches!(error, Error::Connect { .. }), "{error:?}");
    assert_eq!(error.executed(), Executed::No);
}

fn assert_may_have_run<T: std::fmt::Debug>(result: Result<T>) {
    let error = result.unwrap_err();
    assert!(matches!(error, Error::ConnectionLost { executed: Executed::Maybe, .. }), "{error:?}");
}

const MODES: [FailMode; 3] = [FailMode::Failtry, FailMode::Failfast, FailMode::Failover];
const THREE: [&str; 3] = ["a", "b", "c"];

#[tokio::test(start_paused = true)]
async fn failtry_tries_the_same_server_again() {
    for retries in [0, 1, 5] {
        let servers = Servers::dead();
        let builder = servers.builder(&THREE).fail_mode(FailMode::Failtry).retries(retries);
        assert_refused(mul(&connect(builder).await).await);
        let dialed = servers.dialed();
        assert_eq!(dialed.len(), retries as usize + 1);
        assert!(dialed.iter().all(|server| *server == dialed[0]), "{dialed:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn by_default_a_call_is_made_three_times_more_at_the_same_server() {
    let servers = Servers::dead();
    assert_refused(mul(&servers.client(&THREE).await).await);
    let dialed = servers.dialed();
    assert_eq!(dialed, vec![dialed[0].clone(); 4]);
}

#[tokio::test(start_paused = true)]
async fn failtry_succeeds_once_the_server_is_back() {
    let (servers, mut peers) = Servers::new();
    servers.network.script([Dial::Refused; 3]);
    let client = servers.client(&THREE).await;
    let (result, _peer) = tokio::join!(mul(&client), take_and_answer(&mut peers, 42));
    assert_eq!(result.unwrap(), Reply { c: 42 });
    assert_eq!(servers.dialed().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn failtry_pauses_and_failover_does_not() {
    let elapsed = async |mode, retries| {
        let servers = Servers::dead();
        let client = connect(servers.builder(&THREE).fail_mode(mode).retries(retries)).await;
        let begun = Instant::now();
        assert_refused(mul(&client).await);
        begun.elapsed()
    };
    // At most 20, 40, and 80 ms, each rounded up to a millisecond.
    let pauses = elapsed(FailMode::Failtry, 3).await;
    assert!(pauses > Duration::ZERO && pauses < Duration::from_millis(145), "{pauses:?}");
    assert_eq!(elapsed(FailMode::Failover, 2).await, Duration::ZERO);
    assert!(elapsed(FailMode::Failover, 3).await > Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn failfast_tries_nothing_again() {
    let servers = Servers::dead();
    let client = connect(servers.builder(&THREE).fail_mode(FailMode::Failfast)).await;
    assert_refused(mul(&client).await);
    assert_refused(add(&client).await);
    assert_eq!(servers.dialed().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn failover_avoids_servers_that_failed() {
    for select in [SelectMode::Random, SelectMode::RoundRobin] {
        for _ in 0..20 {
            let (servers, mut peers) = Servers::new();
            servers.network.script([Dial::Refused, Dial::Refused]);
            let builder = servers.builder(&THREE).fail_mode(FailMode::Failover).select(select);
            let client = connect(builder).await;
            let (result, _peer) = tokio::join!(mul(&client), take_and_answer(&mut peers, 42));
            assert_eq!(result.unwrap(), Reply { c: 42 });
            let mut dialed = servers.dialed();
            dialed.sort();
            assert_eq!(dialed, THREE);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn failover_begins_anew_when_all_have_failed() {
    let servers = Servers::dead();
    let builder = servers.builder(&THREE).fail_mode(FailMode::Failover).retries(8);
    assert_refused(mul(&connect(builder).await).await);
    let mut dialed = servers.dialed();
    assert_eq!(dialed.len(), 9);
    for round in dialed.chunks_mut(3) {
        round.sort();
        assert_eq!(round, THREE);
    }
}

#[tokio::test(start_paused = true)]
async fn failover_with_one_server_tries_that_again() {
    let servers = Servers::dead();
    let builder = servers.builder(&["only"]).fail_mode(FailMode::Failover).retries(2);
    assert_refused(mul(&connect(builder).await).await);
    assert_eq!(servers.dialed(), ["only"; 3]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_may_have_run_is_not_repeated() {
    for mode in MODES {
        let (servers, mut peers) = Servers::new();
        let client = connect(servers.builder(&THREE).fail_mode(mode)).await;
        let (result, ()) = tokio::join!(mul(&client), take_and_end(&mut peers));
        assert_may_have_run(result);
        settle().await;
        assert_eq!(servers.dialed().len(), 1, "{mode}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_idempotent_call_that_may_have_run_is_repeated() {
    let (servers, mut peers) = Servers::new();
    let client = servers.client(&THREE).await;
    let (result, _peer) = tokio::join!(add(&client), async {
        for _ in 0..3 {
            take_and_end(&mut peers).await;
        }
        take_and_answer(&mut peers, 13).await
    });
    assert_eq!(result.unwrap(), Reply { c: 13 });
    let dialed = servers.dialed();
    assert_eq!(dialed, vec![dialed[0].clone(); 4]);
}

#[tokio::test(start_paused = true)]
async fn an_idempotent_call_that_may_have_run_is_repeated_elsewhere() {
    let (servers, mut peers) = Servers::new();
    let client = connect(servers.builder(&THREE).fail_mode(FailMode::Failover)).await;
    let (result, _peer) = tokio::join!(add(&client), async {
        take_and_end(&mut peers).await;
        take_and_end(&mut peers).await;
        take_and_answer(&mut peers, 13).await
    });
    assert_eq!(result.unwrap(), Reply { c: 13 });
    let mut dialed = servers.dialed();
    dialed.sort();
    assert_eq!(dialed, THREE);
}

#[tokio::test(start_paused = true)]
async fn an_idempotent_call_is_not_repeated_for_ever() {
    let (servers, mut peers) = Servers::new();
    let client = connect(servers.builder(&THREE).retries(2)).await;
    let (result, ()) = tokio::join!(add(&client), async {
        for _ in 0..3 {
            take_and_end(&mut peers).await;
        }
    });
    assert_may_have_run(result);
    assert_eq!(servers.dialed().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_idempotent_call_in_failfast_is_not_repeated() {
    let (servers, mut peers) = Servers::new();
    let client = connect(servers.builder(&THREE).fail_mode(FailMode::Failfast)).await;
    let (result, ()) = tokio::join!(add(&client), take_and_end(&mut peers));
    assert_may_have_run(result);
    assert_eq!(servers.dialed().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_may_have_run_is_not_forgotten() {
    for mode in [FailMode::Failtry, FailMode::Failover] {
        let (servers, mut peers) = Servers::new();
        let client = connect(servers.builder(&THREE).fail_mode(mode).retries(1)).await;
        let (result, ()) = tokio::join!(add(&client), async {
            let mut peer = peers.accept().await;
            servers.network.script([Dial::Refused; 10]);
            peer.request().await;
        });
        assert_eq!(servers.dialed().len(), 2);
        // The second attempt did not run, and the first may have.
        let error = result.unwrap_err();
        assert_eq!(error.executed(), Executed::Maybe, "{mode}: {error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_may_have_run_is_not_forgotten_with_the_last_server() {
    let (servers, mut peers) = Servers::new();
    let list = list(&["only"]);
    let builder = ArithClient::builder().connector(servers.clone()).registry(list.clone());
    let client = connect(builder).await;
    let (result, ()) = tokio::join!(add(&client), async {
        let mut peer = peers.accept().await;
        peer.request().await;
        list.update(instances(&[]));
        settle().await;
    });
    let error = result.unwrap_err();
    assert_eq!(error.executed(), Executed::Maybe, "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn all_calls_that_wait_for_a_server_go_on() {
    let (servers, mut peers) = Servers::new();
    let list = list(&[]);
    let builder = ArithClient::builder().connector(servers.clone()).registry(list.clone());
    let client = connect(builder.wait_for_server(Duration::from_secs(10))).await;
    let calls: Vec<_> = (0..20).map(|number| client.mul(args(number, 1)).start()).collect();
    settle().await;
    list.update(instances(&["late"]));
    let mut peer = peers.accept().await;
    let mut came = Vec::new();
    for _ in &calls {
        let request = peer.request().await;
        let args: Args = codec::decode(SerializeType::MSGPACK, &request.payload()).unwrap();
        came.push(args.a);
    }
    came.sort_unstable();
    assert!(came.iter().copied().eq(0..20), "{came:?}");
}

#[tokio::test(start_paused = true)]
async fn what_the_server_answers_is_never_asked_for_again() {
    for mode in MODES {
        let (servers, mut peers) = Servers::new();
        let client = connect(servers.builder(&THREE).fail_mode(mode)).await;
        let (result, _peer) = tokio::join!(add(&client), async {
            let mut peer = peers.accept().await;
            let request = peer.request().await;
            peer.send(&error_to(&request, &[("__rpcx_error__", "out of stock")])).await;
            assert!(peer.is_quiet().await);
            peer
        });
        assert!(matches!(result, Err(Error::Service(text)) if text == "out of stock"));
        assert_eq!(servers.dialed().len(), 1);
    }
}

/// What a call with one retry does, as the dials show.
async fn mode_shown<F: Future<Output = Result<i64>>>(servers: &Servers, call: F) -> FailMode {
    assert_refused(soon(call).await);
    match servers.dialed().as_slice() {
        [_] => FailMode::Failfast,
        [first, second] if first == second => FailMode::Failtry,
        [_, _] => FailMode::Failover,
        other => panic!("more than one retry: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn call_builder_method_and_trait_say_the_fail_mode_in_this_order() {
    let servers = Servers::dead();
    let builder = || {
        let builder = ModedClient::builder().connector(servers.clone());
        builder.registry(list(&["a", "b"])).retries(1)
    };
    let client = connect(builder()).await;
    let shown = mode_shown(&servers, client.plain().into_future()).await;
    assert_eq!(shown, FailMode::Failover, "the trait's");
    let shown = mode_shown(&servers, client.own().into_future()).await;
    assert_eq!(shown, FailMode::Failfast, "the method's");
    for mode in MODES {
        let client = connect(builder().fail_mode(mode)).await;
        let shown = mode_shown(&servers, client.plain().into_future()).await;
        assert_eq!(shown, mode, "the builder's");
        let shown = mode_shown(&servers, client.own().into_future()).await;
        assert_eq!(shown, mode, "the builder's");
        for own in MODES {
            let shown = mode_shown(&servers, client.own().fail_mode(own).into_future()).await;
            assert_eq!(shown, own, "the call's");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_calls_own_retries_count_more_than_the_builders() {
    let servers = Servers::dead();
    let client = connect(servers.builder(&THREE).retries(1)).await;
    for retries in [0, 4] {
        let call = client.mul(args(6, 7)).retries(retries);
        assert_refused(soon(call.into_future()).await);
        assert_eq!(servers.dialed().len(), retries as usize + 1);
    }
    // A started call has them, too.
    assert_refused(soon(client.mul(args(6, 7)).retries(2).start()).await);
    assert_eq!(servers.dialed().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_ends_all_attempts() {
    let timeout = Duration::from_secs(10);
    for mode in [FailMode::Failtry, FailMode::Failover] {
        let servers = Servers::dead();
        let builder = servers.builder(&THREE).fail_mode(mode).retries(u32::MAX);
        let client = connect(builder.timeout(timeout)).await;
        let begun = Instant::now();
        let error = mul(&client).await.unwrap_err();
        let executed = Executed::No;
        assert!(
            matches!(error, Error::Timeout { after, executed: ran } if after == timeout && ran == executed),
            "{error:?}"
        );
        let elapsed = begun.elapsed();
        assert!((10_000..10_010).contains(&elapsed.as_millis()), "{elapsed:?}");
        let dials = servers.dialed().len();
        settle().await;
        assert!(dials > 10, "{dials}");
        assert!(servers.dialed().is_empty(), "a call that is over goes on");
    }
}

#[tokio::test(start_paused = true)]
async fn a_timeout_knows_of_attempts_that_may_have_run() {
    let (servers, mut peers) = Servers::new();
    let builder = servers.builder(&THREE).retries(u32::MAX).timeout(Duration::from_secs(3));
    let client = connect(builder).await;
    let (result, ()) = tokio::join!(add(&client), async {
        let mut peer = peers.accept().await;
        servers.network.script([Dial::Refused; 1000]);
        peer.request().await;
    });
    assert!(matches!(result, Err(Error::Timeout { executed: Executed::Maybe, .. })), "{result:?}");
}

#[tokio::test(start_paused = true)]
async fn a_dial_without_an_answer_counts_as_a_failure() {
    let (servers, mut peers) = Servers::new();
    servers.network.script([Dial::NoAnswer]);
    let client = connect(servers.builder(&THREE).fail_mode(FailMode::Failover)).await;
    let begun = Instant::now();
    let (result, _peer) = tokio::join!(mul(&client), take_and_answer(&mut peers, 42));
    assert_eq!(result.unwrap(), Reply { c: 42 });
    // The connect timeout, and nothing more.
    let elapsed = begun.elapsed();
    assert!((1000..1010).contains(&elapsed.as_millis()), "{elapsed:?}");
    let dialed = servers.dialed();
    assert_ne!(dialed[0], dialed[1]);
}

/// A client with a connection to each of the servers `a` and `b`, and the other ends.
async fn connected_to_two() -> (Servers, Peers, MultipleServers, ArithClient, [Peer; 2]) {
    let (servers, mut peers) = Servers::new();
    let list = list(&["a", "b"]);
    let builder = ArithClient::builder().connector(servers.clone()).registry(list.clone());
    let client = connect(builder.select(SelectMode::RoundRobin)).await;
    let (result, first) = tokio::join!(mul(&client), take_and_answer(&mut peers, 1));
    assert_eq!(result.unwrap(), Reply { c: 1 });
    let (result, second) = tokio::join!(mul(&client), take_and_answer(&mut peers, 2));
    assert_eq!(result.unwrap(), Reply { c: 2 });
    let both = if servers.dialed() == ["a", "b"] { [first, second] } else { [second, first] };
    (servers, peers, list, client, both)
}

/// Replaces the list, and waits until the client uses it.
async fn replace(list: &MultipleServers, client: &ArithClient, names: &[&str]) {
    list.update(instances(names));
    settle().await;
    let used = client.channel().servers();
    let used: Vec<_> = used.iter().map(Address::target).collect();
    assert_eq!(used, names);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stays_in_the_list_keeps_its_connection() {
    let (servers, mut peers, list, client, [mut a, mut b]) = connected_to_two().await;
    replace(&list, &client, &["c", "a"]).await;
    b.ended().await;
    for _ in 0..2 {
        let answers = async {
            tokio::select! {
                () = a.serve_one(1) => {}
                peer = peers.accept() => drop(take(peer).await),
            }
        };
        let (result, ()) = tokio::join!(mul(&client), answers);
        result.unwrap();
    }
    assert_eq!(servers.dialed(), ["c"]);
    assert!(a.is_quiet().await, "its connection has ended");
    // One that comes back has a new connection.
    replace(&list, &client, &["b"]).await;
    a.ended().await;
    let (result, _peer) = tokio::join!(mul(&client), take_and_answer(&mut peers, 3));
    assert_eq!(result.unwrap(), Reply { c: 3 });
    assert_eq!(servers.dialed(), ["b"]);
}

/// Answers one request.
async fn take(mut peer: Peer) -> Peer {
    peer.serve_one(4).await;
    peer
}

#[tokio::test(start_paused = true)]
async fn a_server_that_leaves_the_list_finishes_its_calls() {
    let (servers, _peers, list, client, [mut a, mut b]) = connected_to_two().await;
    let (first, second) = (client.mul(args(6, 7)).start(), client.mul(args(6, 7)).start());
    let (to_a, to_b) = (a.request().await, b.request().await);
    replace(&list, &client, &["a"]).await;
    assert!(b.is_quiet().await, "a call is on its way");
    b.reply(&to_b, 20).await;
    b.ended().await;
    a.reply(&to_a, 10).await;
    let mut results = [soon(first).await.unwrap().c, soon(second).await.unwrap().c];
    results.sort_unstable();
    assert_eq!(results, [10, 20]);
    assert!(a.is_quiet().await, "the other connection has ended");
    let (result, ()) = tokio::join!(mul(&client), a.serve_one(30));
    assert_eq!(result.unwrap(), Reply { c: 30 });
    assert!(servers.dialed().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_died_costs_no_call() {
    let (servers, _peers, _list, client, [a, mut b]) = connected_to_two().await;
    drop(a);
    servers.network.script([Dial::Refused; 10]);
    for c in 1..=4 {
        let call = client.mul(args(6, 7)).fail_mode(FailMode::Failover).into_future();
        let (result, ()) = tokio::join!(soon(call), b.serve_one(c));
        assert_eq!(result.unwrap(), Reply { c });
    }
    // It had its turn twice, but was known to be gone the second time.
    assert_eq!(servers.dialed(), ["a"]);
    // It is tried again a second later.
    tokio::time::advance(Duration::from_secs(2)).await;
    for c in 5..=6 {
        let call = client.mul(args(6, 7)).fail_mode(FailMode::Failover).into_future();
        let (result, ()) = tokio::join!(soon(call), b.serve_one(c));
        assert_eq!(result.unwrap(), Reply { c });
    }
    assert_eq!(servers.dialed(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn the_turns_of_a_server_that_died_go_to_all_others() {
    let (servers, mut peers) = Servers::new();
    servers.network.script([Dial::Refused]);
    let builder = servers.builder(&["a", "b", "c"]).select(SelectMode::RoundRobin);
    let client = connect(builder.fail_mode(FailMode::Failfast)).await;
    assert_refused(mul(&client).await);
    let dead = servers.dialed().pop().expect("there was a dial");
    let mut others = Vec::new();
    for _ in 0..2 {
        let (result, peer) = tokio::join!(mul(&client), take_and_answer(&mut peers, 1));
        result.unwrap();
        others.push(peer);
    }
    assert!(!servers.dialed().contains(&dead));
    let [first, second] = others.as_mut_slice() else { panic!("there are two") };
    let mut counts = [0; 2];
    for _ in 0..12 {
        let answers = async {
            tokio::select! {
                () = first.serve_one(0) => 0,
                () = second.serve_one(1) => 1,
            }
        };
        let (result, by) = tokio::join!(mul(&client), answers);
        result.unwrap();
        counts[by] += 1;
    }
    assert_eq!(counts, [6, 6]);
}

#[tokio::test(start_paused = true)]
async fn servers_of_one_address_have_one_connection() {
    let (servers, mut peers) = Servers::new();
    let builder = servers.builder(&["a", "a"]).select(SelectMode::RoundRobin);
    let client = connect(builder).await;
    let (result, mut peer) = tokio::join!(mul(&client), take_and_answer(&mut peers, 1));
    result.unwrap();
    for c in 2..=4 {
        let (result, ()) = tokio::join!(mul(&client), peer.serve_one(c));
        assert_eq!(result.unwrap(), Reply { c });
    }
    assert_eq!(servers.dialed(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn a_oneway_call_is_made_again_too() {
    let (servers, mut peers) = Servers::new();
    servers.network.script([Dial::Refused]);
    let client = connect(servers.builder(&THREE).fail_mode(FailMode::Failover)).await;
    let call = client.mul(args(6, 7)).oneway();
    let (result, request) = tokio::join!(soon(call), async {
        let mut peer = peers.accept().await;
        peer.request().await
    });
    result.unwrap();
    assert!(request.header().is_oneway());
    let dialed = servers.dialed();
    assert_eq!(dialed.len(), 2);
    assert_ne!(dialed[0], dialed[1]);
}

#[tokio::test(start_paused = true)]
async fn all_connections_end_with_the_last_client() {
    let (_servers, _peers, _list, client, [mut a, mut b]) = connected_to_two().await;
    let another = ArithClient::from_channel(client.channel().clone());
    drop(client);
    assert!(a.is_quiet().await && b.is_quiet().await);
    drop(another);
    a.ended().await;
    b.ended().await;
}
