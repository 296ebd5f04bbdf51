//! A network whose other ends the test holds, and a service to call over it.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::BytesMut;
use rpcx::client::{Channel, ClientBuilder};
use rpcx::codec;
use rpcx::protocol::{Decoded, Header, Limits, Message, Output, SerializeType, Status};
use rpcx::transport::{ConnectFuture, Connector, Duplex};
use rpcx::{Address, Client as _, FailMode};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream};
use tokio::sync::{Semaphore, mpsc};

/// Two numbers, with Go's field names.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Args {
    pub(crate) a: i64,
    pub(crate) b: i64,
}

/// One number, with Go's field name.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Reply {
    pub(crate) c: i64,
}

/// What the scripted servers are called for.
#[rpcx::service]
pub(crate) trait Arith {
    /// May not run twice.
    async fn mul(&self, args: Args) -> rpcx::Result<Reply>;

    /// May run twice.
    #[rpcx(idempotent)]
    async fn add(&self, args: Args) -> rpcx::Result<Reply>;

    /// Is never answered.
    #[rpcx(oneway)]
    async fn note(&self, args: Args) -> rpcx::Result<()>;

    /// Takes and gives bytes.
    async fn echo(&self, data: rpcx::Bytes) -> rpcx::Result<rpcx::Bytes>;
}

/// A [`Arith`] that calculates.
pub(crate) struct Calculator;

impl Arith for Calculator {
    async fn mul(&self, args: Args) -> rpcx::Result<Reply> {
        Ok(Reply { c: args.a * args.b })
    }

    async fn add(&self, args: Args) -> rpcx::Result<Reply> {
        Ok(Reply { c: args.a + args.b })
    }

    async fn note(&self, _: Args) -> rpcx::Result<()> {
        Ok(())
    }

    async fn echo(&self, data: rpcx::Bytes) -> rpcx::Result<rpcx::Bytes> {
        Ok(data)
    }
}

/// The arguments `a` and `b`.
pub(crate) fn args(a: i64, b: i64) -> Args {
    Args { a, b }
}

/// Waits for `future`, but not for ever: a test that hangs fails.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(SAFETY, future).await.expect("nothing happened for 30 s")
}

/// Polls `future` once; tells whether it is not ready.
pub(crate) async fn is_pending<F: Future + Unpin>(mut future: F) -> bool {
    std::future::poll_fn(|cx| Poll::Ready(Pin::new(&mut future).poll(cx).is_pending())).await
}

/// Lets everybody else of a current-thread runtime do what there is to do.
pub(crate) async fn settle() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

/// Serves `server` in this process under `name` until the test's runtime ends.
pub(crate) async fn serve(server: rpcx::Server, address: &str) -> String {
    let bound = server.bind(address).await.expect("a free address");
    let address = bound.local_addr().to_string();
    tokio::spawn(bound.serve());
    address
}

/// Opens connections whose other ends come out of [`Peers`].
#[derive(Clone, Debug)]
pub(crate) struct FakeNetwork {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    buffer: usize,
    dials: AtomicUsize,
    script: Mutex<VecDeque<Dial>>,
    gate: Gate,
    held: Semaphore,
    peers: mpsc::UnboundedSender<DuplexStream>,
}

/// What becomes of one dial, if it is not a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Dial {
    /// It fails.
    Refused,
    /// There is a connection, and nobody at its other end.
    ClosedAtOnce,
    /// Nothing comes of it.
    NoAnswer,
    /// There is a connection once the test releases the dial.
    Held,
    /// It fails once the test releases it.
    HeldThenRefused,
}

/// The other ends, in the order of the dials.
pub(crate) struct Peers {
    incoming: mpsc::UnboundedReceiver<DuplexStream>,
}

impl FakeNetwork {
    /// Makes a network that keeps up to 1 MiB on the way.
    pub(crate) fn new() -> (Self, Peers) {
        Self::with_buffer(1 << 20)
    }

    /// Makes a network that keeps up to `buffer` bytes on the way, each way of a connection.
    pub(crate) fn with_buffer(buffer: usize) -> (Self, Peers) {
        let (peers, incoming) = mpsc::unbounded_channel();
        let (dials, script, gate) = (AtomicUsize::new(0), Mutex::default(), Gate::default());
        let held = Semaphore::new(0);
        let inner = Arc::new(Inner { buffer, dials, script, gate, held, peers });
        (Self { inner }, Peers { incoming })
    }

    /// Says what becomes of the next dials; those after them give connections.
    pub(crate) fn script(&self, dials: impl IntoIterator<Item = Dial>) {
        lock(&self.inner.script).extend(dials);
    }

    /// Counts the dials.
    pub(crate) fn dials(&self) -> usize {
        self.inner.dials.load(Ordering::SeqCst)
    }

    /// Lets one held dial go on.
    pub(crate) fn release_dial(&self) {
        self.inner.held.add_permits(1);
    }

    /// Gives what lets bytes of clients through, or not.
    pub(crate) fn gate(&self) -> &Gate {
        &self.inner.gate
    }

    /// Starts a client of this network that makes no call again, unless nothing of it was sent.
    pub(crate) fn builder(&self) -> ClientBuilder<ArithClient> {
        ArithClient::builder().connector(self.clone()).fail_mode(FailMode::Failfast)
    }

    /// Makes such a client; it has not connected yet.
    pub(crate) fn client(&self) -> ArithClient {
        lazily(self.builder())
    }

    /// Makes a client that makes a call once more if that is safe; it has not connected yet.
    pub(crate) fn retrying_client(&self) -> ArithClient {
        lazily(self.builder().fail_mode(FailMode::Failtry).retries(1))
    }
}

/// Makes the client; it has not connected yet.
pub(crate) fn lazily(builder: ClientBuilder<ArithClient>) -> ArithClient {
    builder.connect_lazily(ADDRESS).expect("an address")
}

impl Connector for FakeNetwork {
    fn connect(&self, _: &Address) -> ConnectFuture {
        self.inner.dials.fetch_add(1, Ordering::SeqCst);
        let dial = lock(&self.inner.script).pop_front();
        let inner = Arc::clone(&self.inner);
        Box::pin(async move {
            let (ours, theirs) = tokio::io::duplex(inner.buffer);
            if matches!(dial, Some(Dial::Held | Dial::HeldThenRefused)) {
                inner.held.acquire().await.expect("it is never closed").forget();
            }
            match dial {
                Some(Dial::Refused | Dial::HeldThenRefused) => {
                    return Err(io::Error::new(io::ErrorKind::ConnectionRefused, "scripted"));
                }
                Some(Dial::NoAnswer) => std::future::pending().await,
                Some(Dial::ClosedAtOnce) => drop(theirs),
                // A test that is not interested has dropped its end of the channel.
                Some(Dial::Held) | None => drop(inner.peers.send(theirs)),
            }
            let (reader, writer) = tokio::io::split(ours);
            let writer = Gated { writer, gate: inner.gate.clone() };
            Ok(Duplex { reader: Box::new(reader), writer: Box::new(writer), peer: None })
        })
    }
}

impl Peers {
    /// Waits for the next connection.
    pub(crate) async fn accept(&mut self) -> Peer {
        let stream = soon(self.incoming.recv()).await.expect("the network lives");
        Peer { stream, buffer: BytesMut::new() }
    }
}

/// The server's end of a connection.
pub(crate) struct Peer {
    stream: DuplexStream,
    buffer: BytesMut,
}

impl Peer {
    /// Reads a message; `None` once the client has closed the connection.
    pub(crate) async fn next(&mut self) -> Option<Message> {
        loop {
            let decoded = Message::decode(&mut self.buffer, &Limits::default());
            if let Decoded::Message(message) = decoded.expect("what a client sends is a message") {
                return Some(message);
            }
            if soon(self.stream.read_buf(&mut self.buffer)).await.unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    /// Reads what is there, whole messages or not.
    pub(crate) async fn read_some(&mut self) -> BytesMut {
        assert!(self.buffer.is_empty(), "a message was begun");
        let _ = soon(self.stream.read_buf(&mut self.buffer)).await;
        std::mem::take(&mut self.buffer)
    }

    /// Reads a message that has to come.
    pub(crate) async fn request(&mut self) -> Message {
        self.next().await.expect("a request")
    }

    /// Tells whether nothing comes, after everybody else of a current-thread runtime had a turn.
    pub(crate) async fn is_quiet(&mut self) -> bool {
        settle().await;
        assert!(self.buffer.is_empty(), "a message was begun");
        let read = pin!(self.stream.read_buf(&mut self.buffer));
        is_pending(read).await
    }

    /// Waits for the end of the connection, and of what was sent before it.
    pub(crate) async fn ended(&mut self) {
        while self.next().await.is_some() {}
    }

    /// Sends bytes; a client that is gone does not mind.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        let _ = soon(self.stream.write_all(bytes)).await;
    }

    /// Answers `request` with `c`.
    pub(crate) async fn reply(&mut self, request: &Message, c: i64) {
        self.send(&reply_to(request, c)).await;
    }

    /// Reads a request and answers it with `c`.
    pub(crate) async fn serve_one(&mut self, c: i64) {
        let request = self.request().await;
        self.reply(&request, c).await;
    }

    /// Closes the direction to the client; the other stays open.
    pub(crate) async fn shutdown(&mut self) {
        let _ = soon(self.stream.shutdown()).await;
    }
}

/// The bytes of a reply `c` to `request`.
pub(crate) fn reply_to(request: &Message, c: i64) -> Vec<u8> {
    frame(request.header().response(Status::Normal), &[], &product(c))
}

/// The bytes of an error response to `request`.
pub(crate) fn error_to(request: &Message, metadata: &[(&str, &str)]) -> Vec<u8> {
    frame(request.header().response(Status::Error), metadata, &[])
}

/// The bytes of a message of the service `Arith`.
pub(crate) fn frame(header: Header, metadata: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut output = Output::new();
    let pairs = metadata.iter().map(|(key, value)| (key.as_bytes(), value.as_bytes()));
    output.frame(header, b"Arith", b"Mul", pairs, payload);
    output.to_vec()
}

/// `Reply { c }` in `MessagePack`.
pub(crate) fn product(c: i64) -> Vec<u8> {
    let mut payload = Vec::new();
    codec::encode(SerializeType::MSGPACK, &Reply { c }, &mut payload).expect("it has a form");
    payload
}

/// Reads the numbers of a request.
pub(crate) fn sent_args(request: &Message) -> Args {
    codec::decode(SerializeType::MSGPACK, &request.payload()).expect("two numbers")
}

/// The client's channel, for tests of several clients.
pub(crate) fn channel(client: &ArithClient) -> Channel {
    client.channel().clone()
}

/// Lets bytes of clients through while it is open, as it is at first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate {
    state: Arc<Mutex<GateState>>,
    refused: Arc<tokio::sync::Notify>,
}

#[derive(Debug, Default)]
struct GateState {
    closed: bool,
    writer: Option<Waker>,
}

impl Gate {
    /// From now on no byte passes.
    pub(crate) fn close(&self) {
        lock(&self.state).closed = true;
    }

    /// Lets bytes pass again.
    pub(crate) fn open(&self) {
        let mut state = lock(&self.state);
        state.closed = false;
        let writer = state.writer.take();
        drop(state);
        if let Some(writer) = writer {
            writer.wake();
        }
    }

    /// Waits until a writer has met the closed gate.
    pub(crate) async fn met(&self) {
        soon(self.refused.notified()).await;
    }

    fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = lock(&self.state);
        if !state.closed {
            return Poll::Ready(());
        }
        state.writer = Some(cx.waker().clone());
        self.refused.notify_one();
        Poll::Pending
    }
}

/// A writer behind a [`Gate`].
struct Gated<W> {
    writer: W,
    gate: Gate,
}

impl<W: AsyncWrite + Unpin> AsyncWrite for Gated<W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        std::task::ready!(self.gate.poll(cx));
        Pin::new(&mut self.writer).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.writer).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.writer).poll_shutdown(cx)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long a test waits for an event before it fails.
const SAFETY: Duration = Duration::from_secs(30);
/// The address of every server of a [`FakeNetwork`].
pub(crate) const ADDRESS: &str = "memory@scripted";
