//! The simulated network as the crate's transport.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};

use rpcx::Address;
use rpcx::transport::{Accept, AcceptFuture, ConnectFuture, Connector, Duplex};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use turmoil::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use turmoil::net::{TcpListener, TcpStream};

/// Opens connections on the simulated network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SimConnector {
    /// What one write takes at most, so that messages travel in pieces.
    pub(crate) piece: usize,
}

impl Connector for SimConnector {
    fn connect(&self, address: &Address) -> ConnectFuture {
        let (target, piece) = (address.target().to_owned(), self.piece);
        Box::pin(async move { Ok(duplex(TcpStream::connect(target).await?, piece).0) })
    }
}

/// Accepts connections on the simulated network.
pub(crate) struct SimListener {
    listener: TcpListener,
    address: Address,
    piece: usize,
    sockets: Sockets,
}

/// The connections of a server, in the order in which they came.
///
/// A process that is killed leaves them to its system, which closes them. The simulator would drop the
/// process's tasks instead, in an order that differs from run to run.
#[derive(Clone, Default)]
pub(crate) struct Sockets(Arc<Mutex<Vec<Weak<Socket>>>>);

impl Sockets {
    pub(crate) fn close(&self) {
        for socket in lock(&self.0).drain(..).filter_map(|socket| socket.upgrade()) {
            drop(lock(&socket.reader).take());
            drop(lock(&socket.writer).take());
        }
    }
}

impl SimListener {
    /// Listens on all addresses of the host, which others call `host`.
    pub(crate) async fn bind(host: &str, piece: usize) -> io::Result<Self> {
        let listener = TcpListener::bind(("0.0.0.0", PORT)).await?;
        Ok(Self { listener, address: address_of(host), piece, sockets: Sockets::default() })
    }

    pub(crate) fn sockets(&self) -> Sockets {
        self.sockets.clone()
    }
}

impl Accept for SimListener {
    fn local_address(&self) -> io::Result<Address> {
        Ok(self.address.clone())
    }

    fn accept(&mut self) -> AcceptFuture<'_> {
        Box::pin(async move {
            let (stream, _) = self.listener.accept().await?;
            let (duplex, socket) = duplex(stream, self.piece);
            let mut sockets = lock(&self.sockets.0);
            sockets.retain(|socket| socket.strong_count() > 0);
            sockets.push(Arc::downgrade(&socket));
            Ok(duplex)
        })
    }
}

impl std::fmt::Debug for SimListener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimListener").field("address", &self.address).finish_non_exhaustive()
    }
}

pub(crate) fn address_of(host: &str) -> Address {
    format!("tcp@{host}:{PORT}").parse().expect("it is an address")
}

fn duplex(stream: TcpStream, piece: usize) -> (Duplex, Arc<Socket>) {
    let peer = stream.peer_addr().ok();
    let (reader, writer) = stream.into_split();
    let (reader, writer) = (Mutex::new(Some(reader)), Mutex::new(Some(writer)));
    let socket = Arc::new(Socket { reader, writer, piece });
    let (reader, writer) = (Reader(Arc::clone(&socket)), Writer(Arc::clone(&socket)));
    (Duplex { reader: Box::new(reader), writer: Box::new(writer), peer }, socket)
}

/// A connection; its halves are gone when they were dropped or closed from aside.
struct Socket {
    reader: Mutex<Option<OwnedReadHalf>>,
    writer: Mutex<Option<OwnedWriteHalf>>,
    piece: usize,
}

struct Reader(Arc<Socket>);

impl AsyncRead for Reader {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut *lock(&self.0.reader) {
            Some(reader) => Pin::new(reader).poll_read(cx, buffer),
            None => Poll::Pending,
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        drop(lock(&self.0.reader).take());
    }
}

struct Writer(Arc<Socket>);

impl AsyncWrite for Writer {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let piece = &bytes[..bytes.len().min(self.0.piece)];
        match &mut *lock(&self.0.writer) {
            Some(writer) => Pin::new(writer).poll_write(cx, piece),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *lock(&self.0.writer) {
            Some(writer) => Pin::new(writer).poll_shutdown(cx),
            None => Poll::Ready(Ok(())),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(lock(&self.0.writer).take());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const PORT: u16 = 8972;
