//! How a server accepts connections.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;

use tokio::net::TcpListener;

use super::memory::MemoryListener;
use super::{Duplex, tcp};
use crate::address::{Address, Network};

/// Accepts connections for a server.
#[derive(Debug)]
#[non_exhaustive]
pub enum Listener {
    /// On a TCP socket.
    Tcp(TcpListener),
    /// On a Unix domain socket.
    #[cfg(unix)]
    Unix(UnixSocket),
    /// Inside this process.
    Memory(MemoryListener),
    /// In a way of the program's own.
    Own(Box<dyn Accept>),
}

/// What a [`Listener::accept`] of the program's own gives back.
pub type AcceptFuture<'a> = Pin<Box<dyn Future<Output = io::Result<Duplex>> + Send + 'a>>;

/// Accepts connections in a way of the program's own: the counterpart of a
/// [`Connector`](super::Connector), for tests, simulations and other networks.
///
/// A server takes one with [`Server::bind_to`](crate::Server::bind_to).
pub trait Accept: fmt::Debug + Send + Sync {
    /// Gives the address that is listened on, which registries are told.
    ///
    /// # Errors
    ///
    /// If there is none.
    fn local_address(&self) -> io::Result<Address>;

    /// Waits for the next connection. It is dropped when the server stops.
    ///
    /// An error does not end the server: it waits, up to a second, and asks again. It does so at once if
    /// the kind of the error says that one client was lost: `ConnectionReset`, `ConnectionAborted`,
    /// `NotConnected` or `InvalidInput`. A panic ends the server.
    fn accept(&mut self) -> AcceptFuture<'_>;
}

impl Listener {
    /// Starts to listen.
    ///
    /// A TCP port may be taken again at once after a restart (`SO_REUSEADDR`). A Unix socket file
    /// that a dead server left behind is replaced; one that answers is not.
    ///
    /// # Errors
    ///
    /// What the operating system says, `AddrInUse` above all.
    pub async fn bind(address: &Address) -> io::Result<Self> {
        match address.network() {
            Network::Tcp => TcpListener::bind(address.target()).await.map(Self::Tcp),
            Network::Unix => bind_unix(address.target()).await,
            Network::Memory => MemoryListener::bind(address.target()).map(Self::Memory),
        }
    }

    /// Starts to listen at a TCP port at which others may listen too (`SO_REUSEPORT`), if they say so as
    /// well and are of the same user. The system spreads new connections over them.
    ///
    /// # Errors
    ///
    /// What the operating system says; `Unsupported` if the address is no TCP address, or if the system
    /// has no such ports.
    pub async fn bind_shared(address: &Address) -> io::Result<Self> {
        match address.network() {
            Network::Tcp => tcp::listen_shared(address.target()).await.map(Self::Tcp),
            Network::Unix | Network::Memory => {
                Err(io::Error::new(io::ErrorKind::Unsupported, "only a TCP port can be shared"))
            }
        }
    }

    /// Takes a TCP socket that listens already: one that the process inherited, from systemd for instance.
    ///
    /// Such a socket outlives the process. Clients that come while one process ends and the next one starts
    /// wait in its queue, and nobody is refused.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use rpcx::Server;
    /// use rpcx::transport::Listener;
    ///
    /// // The crate `listenfd` finds inherited ones: `ListenFd::from_env().take_tcp_listener(0)?`.
    /// let socket = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// let bound = Server::new().bind_to(Listener::from_std(socket)?)?;
    /// assert!(bound.local_addr().to_string().starts_with("tcp@127.0.0.1:"));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// What the operating system says.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn from_std(socket: std::net::TcpListener) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        TcpListener::from_std(socket).map(Self::Tcp)
    }

    /// Takes a Unix domain socket that listens already, as [`from_std`](Self::from_std) does. Its file
    /// belongs to whoever made it, and stays when the server ends.
    ///
    /// # Errors
    ///
    /// What the operating system says; `InvalidInput` if the socket has no path.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    #[cfg(unix)]
    pub fn from_std_unix(socket: std::os::unix::net::UnixListener) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let address = socket.local_addr()?;
        let path = address.as_pathname().ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, "the socket is not bound to a path")
        })?;
        let path = path.to_owned();
        let listener = tokio::net::UnixListener::from_std(socket)?;
        Ok(Self::Unix(UnixSocket { listener, path, file: SocketFile::Others }))
    }

    /// Gives the address that is listened on, with the port that the system chose.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn local_address(&self) -> io::Result<Address> {
        let (network, target) = match self {
            Self::Own(listener) => return listener.local_address(),
            Self::Tcp(listener) => (Network::Tcp, listener.local_addr()?.to_string()),
            #[cfg(unix)]
            Self::Unix(listener) => (Network::Unix, listener.path.display().to_string()),
            Self::Memory(listener) => (Network::Memory, listener.name().to_owned()),
        };
        Address::new(network, &target).map_err(io::Error::other)
    }

    /// Waits for the next connection.
    ///
    /// # Errors
    ///
    /// What the operating system says; the listener stays usable.
    pub async fn accept(&mut self) -> io::Result<Duplex> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                tcp::configure(&stream, Some(tcp::KEEPALIVE))?;
                Ok(Duplex::of_tcp(stream, Some(peer)))
            }
            #[cfg(unix)]
            Self::Unix(socket) => {
                socket.listener.accept().await.map(|(stream, _)| Duplex::of_unix(stream))
            }
            Self::Memory(listener) => listener.accept().await,
            Self::Own(listener) => listener.accept().await,
        }
    }
}

#[cfg(unix)]
async fn bind_unix(path: &str) -> io::Result<Listener> {
    use std::os::unix::fs::FileTypeExt as _;
    use tokio::net::{UnixListener, UnixStream};
    let bound = match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            // A file that is no socket refuses connections too, and is not ours to remove.
            let file = std::fs::symlink_metadata(path)?;
            let refused = UnixStream::connect(path).await.err();
            let refused = refused.map(|refused| refused.kind());
            if !file.file_type().is_socket() || refused != Some(io::ErrorKind::ConnectionRefused) {
                return Err(error);
            }
            std::fs::remove_file(path)?;
            UnixListener::bind(path)
        }
        result => result,
    };
    let listener = bound?;
    Ok(Listener::Unix(UnixSocket { listener, path: path.into(), file: SocketFile::Ours }))
}

/// A Unix domain socket; its file is removed when this is dropped, unless somebody else made it.
#[cfg(unix)]
#[derive(Debug)]
pub struct UnixSocket {
    listener: tokio::net::UnixListener,
    path: std::path::PathBuf,
    file: SocketFile,
}

/// Who made a socket's file.
#[cfg(unix)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum SocketFile {
    Ours,
    Others,
}

#[cfg(unix)]
impl Drop for UnixSocket {
    fn drop(&mut self) {
        if self.file == SocketFile::Ours {
            // Somebody may have removed it already: then there is nothing to do.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(not(unix))]
async fn bind_unix(_: &str) -> io::Result<Listener> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "this system has no Unix domain sockets"))
}
