//! TLS over a connection of any kind.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{HandshakeKind, ProtocolVersion};
use tokio::io::{AsyncBufRead as _, AsyncRead, AsyncWrite, Join};
use tokio::time::Instant;
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

use super::{Duplex, ReadHalf, WriteHalf};
use crate::tls::{CUT_OFF, ClientTls, PeerIdentity, ServerTls, meaning};

/// Does a client's handshake with the server that `name` must be. The caller ends it at `deadline`, if there
/// is one.
pub(crate) async fn connect(
    duplex: Duplex,
    tls: &ClientTls,
    name: ServerName<'static>,
    deadline: Option<Instant>,
) -> io::Result<Duplex> {
    let (peer, begun) = (duplex.peer, Instant::now());
    let (config, asked) = tls.config();
    let connecting = TlsConnector::from(config).connect(name, joined(duplex));
    let mut stream = connecting.await.map_err(|error| explained(&error))?;
    let session = stream.get_ref().1;
    let is_told_later = asked.load(Ordering::Relaxed)
        && session.protocol_version() == Some(ProtocolVersion::TLSv1_3)
        && session.handshake_kind() != Some(HandshakeKind::Resumed);
    if is_told_later {
        // A server that says nothing is no reason to miss the deadline.
        let left = deadline.map(|end| end.saturating_duration_since(Instant::now()) / 2);
        let patience = (begun.elapsed() + PATIENCE).min(left.unwrap_or(Duration::MAX));
        if let Ok(verdict) = tokio::time::timeout(patience, verdict(&mut stream)).await {
            verdict.map_err(|error| explained(&error))?;
        }
    }
    Ok(split(stream, peer))
}

/// Waits for the first that a server of TLS 1.3 says after the handshake: that it refuses the client's
/// certificate, or a ticket for the next session. One that gives no tickets says nothing.
async fn verdict(stream: &mut client::TlsStream<Joined>) -> io::Result<()> {
    poll_fn(|cx| {
        match Pin::new(&mut *stream).poll_fill_buf(cx) {
            Poll::Ready(Ok([])) => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
            Poll::Ready(read) => return Poll::Ready(read.map(|_| ())),
            Poll::Pending => {}
        }
        let has_ticket = stream.get_ref().1.tls13_tickets_received() > 0;
        if has_ticket { Poll::Ready(Ok(())) } else { Poll::Pending }
    })
    .await
}

/// Puts the meaning of an error in its place.
fn explained(error: &io::Error) -> io::Error {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let kind = error.kind();
    let text = meaning(error).unwrap_or_else(|| match kind {
        BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof => CUT_OFF.to_owned(),
        _ => format!("TLS: in the handshake: {error}"),
    });
    io::Error::new(kind, text)
}

/// Does a server's handshake, within 10 s; gives what the client proved to be as well.
pub(crate) async fn accept(
    duplex: Duplex,
    tls: &ServerTls,
) -> io::Result<(Duplex, Option<PeerIdentity>)> {
    let peer = duplex.peer;
    let accepting = TlsAcceptor::from(tls.config()).accept(joined(duplex));
    let stream: server::TlsStream<_> = match tokio::time::timeout(HANDSHAKE, accepting).await {
        Ok(accepted) => accepted?,
        Err(_) => {
            let text = format!("the handshake was not over within {HANDSHAKE:?}");
            return Err(io::Error::new(io::ErrorKind::TimedOut, text));
        }
    };
    let identity = PeerIdentity::of(stream.get_ref().1.peer_certificates());
    Ok((split(stream, peer), identity))
}

type Joined = Join<ReadHalf, WriteHalf>;

fn joined(duplex: Duplex) -> Joined {
    tokio::io::join(duplex.reader, duplex.writer)
}

fn split<S>(stream: S, peer: Option<std::net::SocketAddr>) -> Duplex
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (reader, writer) = tokio::io::split(stream);
    Duplex { reader: Box::new(reader), writer: Box::new(Writer(writer)), peer }
}

/// The writing half, which says goodbye when it is dropped: others take an end without it for a cut.
struct Writer<S: AsyncRead + AsyncWrite + Unpin>(tokio::io::WriteHalf<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Writer<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Drop for Writer<S> {
    fn drop(&mut self) {
        // Nobody waits for it: what the socket does not take at once is not said. A socket of the program's
        // own may panic, which must not happen on the way of another panic.
        if !std::thread::panicking() {
            let _ = Pin::new(&mut self.0).poll_shutdown(&mut Context::from_waker(Waker::noop()));
        }
    }
}

/// How long a client may take for its handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How much longer than its handshake a client waits for what the server makes of its certificate. It learns
/// it from the first call as well.
const PATIENCE: Duration = Duration::from_millis(100);
