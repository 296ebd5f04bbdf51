//! What connections, servers and calls keep in memory. The only test of its program: others would be
//! counted too.
#![cfg(feature = "macros")]

use std::sync::Arc;

use rpcx::client::Channel;
use rpcx::protocol::{Header, Output, SerializeType};
use rpcx::registry::MultipleServers;
use rpcx::{Client as _, Server};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

#[cfg(feature = "tls")]
#[path = "support/certificates.rs"]
#[allow(dead_code, reason = "each test file uses a part")]
mod certificates;
#[path = "support/client.rs"]
#[allow(dead_code, reason = "each test file uses a part")]
mod support;

use support::{ArithClient, ArithServer, Calculator, args, serve};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// A service whose answers never come.
#[rpcx::service]
trait Never {
    async fn answer(&self) -> rpcx::Result<()>;
}

/// Gives back what it is given.
#[rpcx::service]
trait Echo {
    async fn echo(&self, text: String) -> rpcx::Result<String>;
}

struct Echoing;

impl Echo for Echoing {
    async fn echo(&self, text: String) -> rpcx::Result<String> {
        Ok(text)
    }
}

/// Counts the calls that have come.
struct Silent(Arc<Semaphore>);

impl Never for Silent {
    async fn answer(&self) -> rpcx::Result<()> {
        self.0.add_permits(1);
        std::future::pending().await
    }
}

/// Counts heap bytes that `make` leaves behind, for one of `count` things.
async fn kept<T>(what: &str, count: usize, at_most: usize, make: impl Future<Output = T>) -> T {
    let before = dhat::HeapStats::get().curr_bytes;
    let made = make.await;
    support::settle().await;
    let after = dhat::HeapStats::get().curr_bytes;
    let bytes = after.saturating_sub(before) / count;
    report(what, bytes);
    assert!(bytes <= at_most, "{what}: {bytes} bytes");
    made
}

/// A call of [`Never`] on the wire.
fn call(seq: usize, method: &[u8], arguments: &[u8]) -> Vec<u8> {
    let header = Header::request(seq as u64, SerializeType::MSGPACK);
    let mut output = Output::new();
    output.frame(header, b"Never", method, [], arguments);
    output.to_vec()
}

/// The same of what is not needed after that: waits until nothing more of it is let go, so that this is not
/// counted against what comes next.
async fn kept_for_now<T>(what: &str, count: usize, at_most: usize, make: impl Future<Output = T>) {
    drop(kept(what, count, at_most, make).await);
    let (mut last, mut unchanged) = (0, 0);
    while unchanged < TURNS_OF_QUIET {
        tokio::task::yield_now().await;
        let now = dhat::HeapStats::get().curr_bytes;
        unchanged = if now == last { unchanged + 1 } else { 0 };
        last = now;
    }
}

#[expect(clippy::print_stdout, reason = "the number is worth more than that it is small enough")]
fn report(what: &str, bytes: usize) {
    println!("{what}: {bytes} bytes");
}

#[test]
fn connections_servers_and_calls_keep_little() {
    let _profiler = dhat::Profiler::builder().testing().build();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let come = Arc::new(Semaphore::new(0));
        let silent = NeverServer::new(Silent(Arc::clone(&come)));
        let server = Server::new()
            .add(ArithServer::new(Calculator))
            .add(EchoServer::new(Echoing))
            .add(silent);
        let address = serve(server, "tcp@127.0.0.1:0").await;
        let target = address.trim_start_matches("tcp@");
        let connect = || async {
            let stream = TcpStream::connect(target).await.unwrap();
            support::settle().await;
            stream
        };
        // What the runtime keeps for its first sockets.
        drop(connect().await);

        let accepted = async {
            let mut streams = Vec::with_capacity(CONNECTIONS);
            for _ in 0..CONNECTIONS {
                streams.push(connect().await);
            }
            streams
        };
        let what = "a connection at the server, with a bare client";
        kept_for_now(what, CONNECTIONS, 2_500, accepted).await;

        let connected = async {
            let mut clients = Vec::with_capacity(CONNECTIONS);
            for _ in 0..CONNECTIONS {
                let client = ArithClient::connect_to(&address).await.unwrap();
                client.mul(args(1, 2)).await.unwrap();
                clients.push(client);
            }
            clients
        };
        let what = "a channel with a connection, both sides";
        kept_for_now(what, CONNECTIONS, 8_500, connected).await;
        kept_for_now("the same after a burst", CONNECTIONS, 15_000, busy(&address)).await;

        let addresses: Vec<_> =
            (0..SERVERS).map(|n| format!("tcp@10.0.{}.{}:8972", n / 250, n % 250)).collect();
        let listed = async {
            let servers = MultipleServers::new(&addresses).unwrap();
            Channel::builder().service("Arith").registry(servers).connect().await.unwrap()
        };
        kept_for_now("a server in a client's list, not called", SERVERS, 1_100, listed).await;

        // Whose calls are not to end meanwhile.
        let _streams = raw([connect().await, connect().await], &come).await;

        let client = NeverClient::connect_to(&address).await.unwrap();
        let mut calls = tokio::task::JoinSet::new();
        let called = async {
            for _ in 0..CALLS {
                let client = client.clone();
                calls.spawn(async move { client.answer().await });
            }
            let all = u32::try_from(CALLS).expect("a small number");
            support::soon(come.acquire_many(all)).await.unwrap().forget();
        };
        kept("a call under way, both sides, with their tasks", CALLS, 2_200, called).await;
        let call = client.answer().into_future();
        report("the future of a call", size_of_val(&call));
        assert!(size_of_val(&call) <= 800);

        #[cfg(feature = "tls")]
        encrypted().await;
    });
}

/// What calls that wait keep of the buffers in which they came; gives their connections back.
async fn raw([mut first, mut second]: [TcpStream; 2], come: &Semaphore) -> [TcpStream; 2] {
    let alone = async {
        for seq in 0..CALLS {
            first.write_all(&call(seq, b"Answer", b"\xc0")).await.unwrap();
            support::soon(come.acquire()).await.unwrap().forget();
            support::settle().await;
        }
    };
    kept("a call under way at the server that came alone", CALLS, 1_500, alone).await;

    let (mut answers, mut sending) = second.split();
    let behind = async {
        for seq in 0..LARGE_CALLS {
            let large = [call(seq, b"None", &vec![0; 1 << 20]), call(seq, b"Answer", b"\xc0")];
            sending.write_all(&large.concat()).await.unwrap();
            support::soon(come.acquire()).await.unwrap().forget();
        }
        // The answers to the large ones, which are over.
        let mut all = vec![0; LARGE_CALLS * ANSWER];
        support::soon(answers.read_exact(&mut all)).await.unwrap();
    };
    kept("a call under way behind one of 1 MiB", LARGE_CALLS, 20_000, behind).await;
    [first, second]
}

/// Connections that had many calls under way at once, and have none now.
async fn busy(address: &str) -> Vec<EchoClient> {
    let mut clients = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        let client = EchoClient::connect_to(address).await.unwrap();
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..BURST {
            let client = client.clone();
            calls.spawn(async move { client.echo("a".repeat(1 << 10)).await.unwrap() });
        }
        support::soon(calls.join_all()).await;
        clients.push(client);
    }
    clients
}

/// What connections with TLS keep, idle after a first call.
#[cfg(feature = "tls")]
async fn encrypted() {
    use rpcx::tls::{ClientTls, ServerTls};
    let authority = certificates::Authority::new("ours");
    let pair = authority.sign(&["127.0.0.1"]);
    let tls = ServerTls::new(pair.certificate, pair.key).unwrap();
    let server = Server::new().add(ArithServer::new(Calculator)).tls(tls);
    let address = serve(server, "tcp@127.0.0.1:0").await;
    let tls = ClientTls::new(authority.certificate()).unwrap();
    let connect = || async {
        let client = ArithClient::builder().tls(tls.clone()).connect_to(&address).await.unwrap();
        client.mul(args(1, 2)).await.unwrap();
        client
    };
    // What both keep to resume sessions.
    drop(connect().await);
    let connected = async {
        let mut clients = Vec::with_capacity(CONNECTIONS);
        for _ in 0..CONNECTIONS {
            clients.push(connect().await);
        }
        clients
    };
    let what = "a channel with a connection over TLS, both sides";
    drop(kept(what, CONNECTIONS, 40_000, connected).await);
}

const CONNECTIONS: usize = 100;
const SERVERS: usize = 1_000;
const CALLS: usize = 500;
const LARGE_CALLS: usize = 20;
/// At least so long is an answer that there is no method `None`.
const ANSWER: usize = 60;
/// The runtime looks at its sockets every 61 turns.
const TURNS_OF_QUIET: usize = 1_000;
/// Calls of 1 KiB that a connection has under way at once.
const BURST: usize = 64;
