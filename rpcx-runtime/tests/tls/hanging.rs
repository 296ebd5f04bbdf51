//! Handshakes that come to nothing.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rpcx::transport::{ConnectFuture, Connector, Duplex, Listener, NetworkConnector};
use rpcx::{Address, Bytes, Server};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::time::{Instant, Sleep};

use crate::world::{
    Clerk, Running, World, assert_serves, builder, connect, memory_address, reason, soon,
};

async fn open(address: &str) -> Duplex {
    let address: Address = address.parse().unwrap();
    soon(NetworkConnector::new().connect(&address)).await.unwrap()
}

async fn in_memory(world: &World, connections: usize) -> Running {
    let server = Server::new().add(Clerk::service()).tls(world.server());
    Running::at(&memory_address(), server.max_connections(connections)).await
}

/// Waits until the server has closed the connection.
async fn closed(mut duplex: Duplex) {
    let mut rest = Vec::new();
    let _ = soon(duplex.reader.read_to_end(&mut rest)).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_has_ten_seconds() {
    let running = in_memory(&World::new(), 10).await;
    let begun = Instant::now();
    closed(open(&running.address).await).await;
    assert_eq!(begun.elapsed().as_millis(), 10_000);

    // Bytes now and then are no reason to wait longer.
    let begun = Instant::now();
    let mut dribbling = open(&running.address).await;
    let hello = [0x16, 3, 1, 2, 0];
    for byte in hello.into_iter().chain(std::iter::repeat(1)) {
        if dribbling.writer.write_all(&[byte]).await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(999)).await;
    }
    assert!((10_000..12_000).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_server_has_the_connect_timeout() {
    let address = memory_address();
    // It accepts, and says nothing.
    let mut listener = Listener::bind(&address.parse().unwrap()).await.unwrap();
    let silent = tokio::spawn(async move {
        let held = listener.accept().await;
        std::future::pending::<()>().await;
        drop(held);
    });
    let begun = Instant::now();
    let tls = World::new().client().server_name("desk.internal").unwrap();
    let builder = builder().tls(tls).connect_timeout(Duration::from_secs(1));
    let told = soon(builder.connect_to(&address)).await.map_err(reason).unwrap_err();
    assert_eq!(told, "the TLS handshake was not over within 1s");
    assert_eq!(begun.elapsed().as_millis(), 1000);
    silent.abort();
}

#[tokio::test(start_paused = true)]
async fn a_thousand_that_hang_keep_no_honest_client_out() {
    let world = World::new();
    let tls = world.client().server_name("desk.internal").unwrap();
    let roomy = in_memory(&world, 10_000).await;
    let begun = Instant::now();
    let mut hung = Vec::new();
    for _ in 0..1000 {
        hung.push(open(&roomy.address).await);
    }
    assert_serves(&connect(&roomy.address, tls.clone()).await.unwrap()).await;
    assert_eq!(begun.elapsed().as_millis(), 0);
    drop(hung);

    // Where they take all places there are, the next client has its turn after their ten seconds.
    let full = in_memory(&world, 100).await;
    let mut hung = Vec::new();
    for _ in 0..100 {
        hung.push(open(&full.address).await);
    }
    let begun = Instant::now();
    assert_serves(&connect(&full.address, tls).await.unwrap()).await;
    assert_eq!(begun.elapsed().as_millis(), 10_000);
}

#[tokio::test(start_paused = true)]
async fn a_handshake_does_not_keep_a_stopping_server() {
    let running = in_memory(&World::new(), 10).await;
    let hung = open(&running.address).await;
    tokio::task::yield_now().await;
    let begun = Instant::now();
    soon(running.stop()).await.unwrap();
    assert_eq!(begun.elapsed().as_millis(), 500);
    closed(hung).await;
}

/// Holds back what the server says after the client's second flight: what it makes of the certificate.
#[derive(Debug)]
struct Late;

struct LateReader {
    inner: rpcx::transport::ReadHalf,
    written: Arc<AtomicUsize>,
    delay: Pin<Box<Sleep>>,
}

struct CountingWriter {
    inner: rpcx::transport::WriteHalf,
    written: Arc<AtomicUsize>,
}

impl Connector for Late {
    fn connect(&self, address: &Address) -> ConnectFuture {
        let connect = NetworkConnector::new().connect(address);
        Box::pin(async move {
            let Duplex { reader, writer, peer } = connect.await?;
            let written = Arc::new(AtomicUsize::new(0));
            let delay = Box::pin(tokio::time::sleep(Duration::from_secs(5)));
            let reader = LateReader { inner: reader, written: Arc::clone(&written), delay };
            let writer = Box::new(CountingWriter { inner: writer, written });
            Ok(Duplex { reader: Box::new(reader), writer, peer })
        })
    }
}

impl AsyncRead for LateReader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        if self.written.load(Ordering::Relaxed) > 1 {
            ready!(self.delay.as_mut().poll(cx));
        }
        Pin::new(&mut self.inner).poll_read(cx, into)
    }
}

impl AsyncWrite for CountingWriter {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.written.fetch_add(1, Ordering::Relaxed);
        match ready!(Pin::new(&mut self.inner).poll_write(cx, bytes)) {
            // As with TCP, where the first bytes to an end that is gone are taken.
            Err(_) => Poll::Ready(Ok(bytes.len())),
            written => Poll::Ready(written),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_comes_late_is_the_error_of_the_calls_until_then() {
    let world = World::new();
    let server = Server::new().add(Clerk::service()).tls(world.mutual_server());
    let running = Running::at(&memory_address(), server).await;
    let builder = builder().connector(Late).tls(world.client().server_name("localhost").unwrap());
    let client = soon(builder.connect_to(&running.address)).await.unwrap();
    let begun = Instant::now();
    let told = soon(client.echo(Bytes::new()).into_future()).await.map_err(reason).unwrap_err();
    let expected = "TLS: the server refuses: CertificateRequired, it asks for a certificate, and \
                    none was shown";
    assert_eq!(told, expected);
    // The clock has run: the refusal was not there when the connection was made.
    assert!(begun.elapsed() > Duration::from_secs(4));
}
