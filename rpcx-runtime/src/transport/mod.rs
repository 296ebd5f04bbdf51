//! The only place where messages meet sockets.
//!
//! A [`Connector`] opens connections for clients; tests and simulations bring their own. A
//! [`Listener`] accepts them for servers. Both give a [`Duplex`]: two halves that carry bytes.

mod connector;
mod frame_reader;
mod listener;
mod memory;
mod tcp;
#[cfg(feature = "tls")]
pub(crate) mod tls;
mod write;

use std::fmt;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncWrite};

pub use connector::{ConnectFuture, Connector, NetworkConnector};
pub(crate) use frame_reader::{Fill, FrameReader};
pub use listener::{Accept, AcceptFuture, Listener};
pub(crate) use write::poll_write_all;

/// The reading half of a connection.
pub type ReadHalf = Box<dyn AsyncRead + Send + Unpin>;
/// The writing half of a connection. It is flushed after each batch of messages.
pub type WriteHalf = Box<dyn AsyncWrite + Send + Unpin>;

/// A connection: bytes both ways.
pub struct Duplex {
    /// What the other side sends.
    pub reader: ReadHalf,
    /// What goes to the other side.
    pub writer: WriteHalf,
    /// The address of the other side, if it has one.
    pub peer: Option<SocketAddr>,
}

impl Duplex {
    fn of_tcp(stream: tokio::net::TcpStream, peer: Option<SocketAddr>) -> Self {
        let (reader, writer) = stream.into_split();
        Self { reader: Box::new(reader), writer: Box::new(writer), peer }
    }

    #[cfg(unix)]
    fn of_unix(stream: tokio::net::UnixStream) -> Self {
        let (reader, writer) = stream.into_split();
        Self { reader: Box::new(reader), writer: Box::new(writer), peer: None }
    }

    /// Makes a connection of anything that reads and writes.
    pub fn of(stream: impl AsyncRead + AsyncWrite + Send + 'static) -> Self {
        let (reader, writer) = tokio::io::split(stream);
        Self { reader: Box::new(reader), writer: Box::new(writer), peer: None }
    }
}

impl fmt::Debug for Duplex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Duplex").field("peer", &self.peer).finish_non_exhaustive()
    }
}
