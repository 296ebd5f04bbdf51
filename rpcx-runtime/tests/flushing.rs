//! Sockets that keep what they are given in a buffer of their own until they are told to send it.
#![cfg(feature = "macros")]

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rpcx::transport::{
    Accept, AcceptFuture, ConnectFuture, Connector, Duplex, Listener, NetworkConnector, WriteHalf,
};
use rpcx::{Address, Bytes, Server};
use tokio::io::AsyncWrite;

#[path = "support/client.rs"]
#[allow(dead_code, reason = "each test file uses a part")]
mod support;

use support::{ArithClient, ArithServer, Calculator, Reply, args, settle, soon};

/// Takes all that it is given, up to a limit, and sends none of it before it is flushed; the first try to do
/// that has to wait.
struct Hoarder {
    inner: WriteHalf,
    kept: Vec<u8>,
    waited: bool,
}

impl Hoarder {
    fn of(duplex: Duplex) -> Duplex {
        let writer = Box::new(Self { inner: duplex.writer, kept: Vec::new(), waited: false });
        Duplex { writer, ..duplex }
    }
}

impl AsyncWrite for Hoarder {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.kept.len() >= LIMIT {
            ready!(self.as_mut().poll_flush(cx))?;
        }
        let taken = bytes.len().min(LIMIT - self.kept.len());
        self.kept.extend_from_slice(&bytes[..taken]);
        self.waited = false;
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.kept.is_empty() && !std::mem::replace(&mut this.waited, true) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        while !this.kept.is_empty() {
            let sent = ready!(Pin::new(&mut this.inner).poll_write(cx, &this.kept))?;
            this.kept.drain(..sent);
        }
        Pin::new(&mut this.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_flush(cx))?;
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[derive(Debug)]
struct HoardingConnector;

impl Connector for HoardingConnector {
    fn connect(&self, address: &Address) -> ConnectFuture {
        let connect = NetworkConnector::new().connect(address);
        Box::pin(async move { connect.await.map(Hoarder::of) })
    }
}

#[derive(Debug)]
struct HoardingListener(Listener);

impl Accept for HoardingListener {
    fn local_address(&self) -> io::Result<Address> {
        self.0.local_address()
    }

    fn accept(&mut self) -> AcceptFuture<'_> {
        Box::pin(async { self.0.accept().await.map(Hoarder::of) })
    }
}

async fn client(address: &str) -> ArithClient {
    let listener = Listener::bind(&address.parse().unwrap()).await.unwrap();
    let listener = Listener::Own(Box::new(HoardingListener(listener)));
    let bound = Server::new().add(ArithServer::new(Calculator)).bind_to(listener).unwrap();
    tokio::spawn(bound.serve());
    let builder = ArithClient::builder().connector(HoardingConnector);
    soon(builder.connect_to(address)).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn calls_and_replies_leave_though_nothing_follows_them() {
    let client = client("memory@flushing-small").await;
    for n in 0..3 {
        assert_eq!(soon(client.mul(args(n, 2)).into_future()).await.unwrap(), Reply { c: 2 * n });
        soon(client.note(args(n, n)).into_future()).await.unwrap();
        settle().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_larger_than_the_buffer_leaves() {
    let client = client("memory@flushing-large").await;
    let data: Bytes = vec![7; 1 << 20].into();
    let calls = (0..4).map(|_| client.echo(data.clone()));
    for reply in soon(futures_util::future::join_all(calls.map(IntoFuture::into_future))).await {
        assert_eq!(reply.unwrap(), data);
    }
}

const LIMIT: usize = 64 << 10;
