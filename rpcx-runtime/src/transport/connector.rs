//! How a client opens a connection.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use super::{Duplex, memory, tcp};
use crate::address::{Address, Network};

/// What a [`Connector`] gives back.
pub type ConnectFuture = Pin<Box<dyn Future<Output = io::Result<Duplex>> + Send>>;

/// Opens connections for a client.
///
/// [`NetworkConnector`] is the one in use unless the builder is given another, which is how tests
/// and simulations replace the network.
pub trait Connector: fmt::Debug + Send + Sync {
    /// Opens a connection to `address`. The caller bounds how long it may take.
    fn connect(&self, address: &Address) -> ConnectFuture;
}

/// Opens TCP, Unix and in-process connections.
#[derive(Clone, Copy, Debug)]
pub struct NetworkConnector {
    keepalive: Option<Duration>,
}

impl NetworkConnector {
    /// Starts from the defaults: TCP connections are probed after 60 s of silence.
    pub const fn new() -> Self {
        Self { keepalive: Some(tcp::KEEPALIVE) }
    }

    /// Sets after which silence TCP connections are probed; `None` turns that off.
    #[must_use]
    pub const fn keepalive(mut self, period: Option<Duration>) -> Self {
        self.keepalive = period;
        self
    }
}

impl Default for NetworkConnector {
    fn default() -> Self {
        Self::new()
    }
}

impl Connector for NetworkConnector {
    fn connect(&self, address: &Address) -> ConnectFuture {
        let target = address.target().to_owned();
        let keepalive = self.keepalive;
        match address.network() {
            Network::Tcp => Box::pin(async move { tcp::connect(&target, keepalive).await }),
            Network::Unix => Box::pin(async move { connect_unix(&target).await }),
            Network::Memory => Box::pin(async move { memory::connect(&target).await }),
        }
    }
}

#[cfg(unix)]
async fn connect_unix(path: &str) -> io::Result<Duplex> {
    tokio::net::UnixStream::connect(path).await.map(Duplex::of_unix)
}

#[cfg(not(unix))]
async fn connect_unix(_: &str) -> io::Result<Duplex> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "this system has no Unix domain sockets"))
}
