//! How a client opens a connection.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;

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
#[derive(Clone, Copy, Debug, Default)]
pub struct NetworkConnector;

impl Connector for NetworkConnector {
    fn connect(&self, address: &Address) -> ConnectFuture {
        let target = address.target().to_owned();
        match address.network() {
            Network::Tcp => Box::pin(async move { tcp::connect(&target).await }),
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
