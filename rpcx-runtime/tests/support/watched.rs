//! TCP connections that count what is asked of their sockets, and note where the bytes were.

use std::io::{self, IoSlice};
use std::ops::Range;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use rpcx::transport::{Accept, AcceptFuture, ConnectFuture, Connector, Duplex};
use rpcx::{Address, Network};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// What one side asked of its sockets.
#[derive(Debug, Default)]
pub(crate) struct Log {
    reads: AtomicUsize,
    writes: AtomicUsize,
    read: Mutex<Vec<Range<usize>>>,
    written: Mutex<Vec<Range<usize>>>,
}

impl Log {
    /// Counts reads and writes, also those for which the socket was not ready: no fewer than there
    /// were system calls.
    pub(crate) fn counts(&self) -> [usize; 2] {
        [&self.reads, &self.writes].map(|count| count.load(Ordering::Relaxed))
    }

    /// Tells whether the last bytes of `bytes` were read into the place where they are now.
    pub(crate) fn was_read_into(&self, bytes: &[u8]) -> bool {
        let end = bytes.as_ptr_range().end.addr();
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.iter().any(|place| place.start < end && end <= place.end)
    }

    /// Tells whether `bytes` were written from the place where they are now.
    pub(crate) fn was_written_from(&self, bytes: &[u8]) -> bool {
        let start = bytes.as_ptr().addr();
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.iter().any(|place| place.start == start)
    }

    fn note(places: &Mutex<Vec<Range<usize>>>, bytes: &[u8]) {
        if !bytes.is_empty() {
            let range = bytes.as_ptr_range();
            let mut places = places.lock().unwrap_or_else(PoisonError::into_inner);
            places.push(range.start.addr()..range.end.addr());
        }
    }
}

/// Accepts connections that note what the server asks of them.
#[derive(Debug)]
pub(crate) struct WatchedListener {
    listener: TcpListener,
    log: Arc<Log>,
}

impl WatchedListener {
    pub(crate) async fn bind(log: &Arc<Log>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        Self { listener, log: Arc::clone(log) }
    }
}

impl Accept for WatchedListener {
    fn local_address(&self) -> io::Result<Address> {
        let address = self.listener.local_addr()?.to_string();
        Address::new(Network::Tcp, &address).map_err(io::Error::other)
    }

    fn accept(&mut self) -> AcceptFuture<'_> {
        Box::pin(async {
            let (stream, _) = self.listener.accept().await?;
            watched(stream, &self.log)
        })
    }
}

/// Opens connections that note what the client asks of them.
#[derive(Debug)]
pub(crate) struct WatchedConnector(pub(crate) Arc<Log>);

impl Connector for WatchedConnector {
    fn connect(&self, address: &Address) -> ConnectFuture {
        let (target, log) = (address.target().to_owned(), Arc::clone(&self.0));
        Box::pin(async move { watched(TcpStream::connect(target).await?, &log) })
    }
}

fn watched(stream: TcpStream, log: &Arc<Log>) -> io::Result<Duplex> {
    stream.set_nodelay(true)?;
    let (reader, writer) = stream.into_split();
    let reader = Box::new(Watched { half: reader, log: Arc::clone(log) });
    let writer = Box::new(Watched { half: writer, log: Arc::clone(log) });
    Ok(Duplex { reader, writer, peer: None })
}

struct Watched<H> {
    half: H,
    log: Arc<Log>,
}

impl<H: AsyncRead + Unpin> AsyncRead for Watched<H> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.log.reads.fetch_add(1, Ordering::Relaxed);
        let before = into.filled().len();
        let result = Pin::new(&mut self.half).poll_read(cx, into);
        Log::note(&self.log.read, &into.filled()[before..]);
        result
    }
}

impl<H: AsyncWrite + Unpin> AsyncWrite for Watched<H> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.log.writes.fetch_add(1, Ordering::Relaxed);
        Log::note(&self.log.written, bytes);
        Pin::new(&mut self.half).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.log.writes.fetch_add(1, Ordering::Relaxed);
        for piece in pieces {
            Log::note(&self.log.written, piece);
        }
        Pin::new(&mut self.half).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.half.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.half).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.half).poll_shutdown(cx)
    }
}
