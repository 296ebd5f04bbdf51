//! What a server costs, from the bytes of requests to those of the replies, without a client and a socket.
//!
//! Requests are bytes that were written beforehand; they come all at once, as in one read of a busy
//! connection. The items a second are calls.

use std::cell::RefCell;
use std::fmt;
use std::io;

use divan::Bencher;
use divan::counter::ItemsCount;
use rpcx::protocol::{Header, Output, SerializeType};
use rpcx::server::interceptor::Interceptor;
use rpcx::transport::{Accept, AcceptFuture, Duplex, Listener};
use rpcx::{Address, Server, codec};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

/// Calls that come at once.
const TOGETHER: [u32; 2] = [1, 64];

fn main() {
    divan::main();
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Args {
    a: i64,
    b: i64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Reply {
    c: i64,
}

#[rpcx::service]
trait Arith {
    async fn ready(&self, args: Args) -> rpcx::Result<Reply>;

    async fn waits(&self, args: Args) -> rpcx::Result<Reply>;

    #[rpcx(spawn)]
    async fn apart(&self, args: Args) -> rpcx::Result<Reply>;

    async fn refuses(&self, args: Args) -> rpcx::Result<Reply>;
}

struct Calculator;

impl Arith for Calculator {
    async fn ready(&self, args: Args) -> rpcx::Result<Reply> {
        Ok(Reply { c: args.a * args.b })
    }

    async fn waits(&self, args: Args) -> rpcx::Result<Reply> {
        tokio::task::yield_now().await;
        Ok(Reply { c: args.a * args.b })
    }

    async fn apart(&self, args: Args) -> rpcx::Result<Reply> {
        Ok(Reply { c: args.a * args.b })
    }

    async fn refuses(&self, _: Args) -> rpcx::Result<Reply> {
        Err(rpcx::Error::service("no"))
    }
}

/// Accepts the connections that it is given.
struct Given(mpsc::Receiver<DuplexStream>);

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Given")
    }
}

impl Accept for Given {
    fn local_address(&self) -> io::Result<Address> {
        "memory@given".parse().map_err(io::Error::other)
    }

    fn accept(&mut self) -> AcceptFuture<'_> {
        Box::pin(async {
            match self.0.recv().await {
                Some(stream) => Ok(Duplex::of(stream)),
                None => std::future::pending().await,
            }
        })
    }
}

/// Sends `requests`, and reads until `replies` bytes have come.
async fn exchange(stream: &mut DuplexStream, requests: &[u8], replies: &mut [u8]) {
    stream.write_all(requests).await.expect("the server reads");
    stream.read_exact(replies).await.expect("the server answers");
}

/// An interceptor that adds nothing of its own to what each costs.
struct Nothing;

impl Interceptor for Nothing {}

fn serve(bencher: Bencher<'_, '_>, method: &str, together: u32) {
    let server = Server::new().add(ArithServer::new(Calculator)).without_registry();
    serve_with(bencher, server, method, together);
}

fn serve_with(bencher: Bencher<'_, '_>, server: Server, method: &str, together: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime: Runtime = runtime.expect("the system has room for a runtime");
    let mut payload = Vec::new();
    let encoded = codec::encode(SerializeType::MSGPACK, &Args { a: 7, b: 6 }, &mut payload);
    encoded.expect("two numbers have a form in the codec");
    let mut requests = Output::new();
    for seq in 0..u64::from(together) {
        let header = Header::request(seq, SerializeType::MSGPACK);
        requests.frame(header, b"Arith", method.as_bytes(), [], &payload);
    }
    let requests = requests.to_vec();
    let (mut stream, size) = runtime.block_on(async {
        let (sender, given) = mpsc::channel(1);
        let bound = server.bind_to(Listener::Own(Box::new(Given(given)))).expect("no name twice");
        tokio::spawn(bound.serve());
        let (mut ours, theirs) = tokio::io::duplex(64 << 10);
        sender.send(theirs).await.expect("the server accepts");
        tokio::spawn(async move { sender.closed().await });
        // The first reply tells how long they are.
        let one = requests.len() / together as usize;
        ours.write_all(&requests[..one]).await.expect("the server reads");
        let mut prefix = [0; Header::LEN + 4];
        ours.read_exact(&mut prefix).await.expect("the server answers");
        let [.., a, b, c, d] = prefix;
        let rest = u32::from_be_bytes([a, b, c, d]) as usize;
        ours.read_exact(&mut vec![0; rest]).await.expect("the server answers");
        (ours, prefix.len() + rest)
    });
    let replies = RefCell::new(vec![0; size * together as usize]);
    bencher.counter(ItemsCount::new(together)).bench_local(|| {
        runtime.block_on(exchange(&mut stream, &requests, &mut replies.borrow_mut()));
    });
}

/// The handler is ready at once.
#[divan::bench(args = TOGETHER)]
fn ready(bencher: Bencher<'_, '_>, together: u32) {
    serve(bencher, "Ready", together);
}

/// The handler waits once: it gets a task.
#[divan::bench(args = TOGETHER)]
fn waits(bencher: Bencher<'_, '_>, together: u32) {
    serve(bencher, "Waits", together);
}

/// The method is marked `spawn`.
#[divan::bench(args = TOGETHER)]
fn spawned(bencher: Bencher<'_, '_>, together: u32) {
    serve(bencher, "Apart", together);
}

/// The handler answers with an error.
#[divan::bench(args = TOGETHER)]
fn refused(bencher: Bencher<'_, '_>, together: u32) {
    serve(bencher, "Refuses", together);
}

/// The service has no such method.
#[divan::bench(args = TOGETHER)]
fn unknown_method(bencher: Bencher<'_, '_>, together: u32) {
    serve(bencher, "Nothing", together);
}

/// The handler is ready at once, within so many interceptors; 64 calls come at once.
#[divan::bench(args = [0, 1, 3])]
fn interceptors(bencher: Bencher<'_, '_>, count: u32) {
    let mut server = Server::new().add(ArithServer::new(Calculator)).without_registry();
    for _ in 0..count {
        server = server.interceptor(Nothing);
    }
    serve_with(bencher, server, "Ready", 64);
}
