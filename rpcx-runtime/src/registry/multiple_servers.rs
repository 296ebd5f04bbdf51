//! A fixed list of servers, which the program may replace.

use std::sync::Arc;

use tokio::sync::watch;

use super::{Announcement, Discover, Register, Registration, Snapshot};
use crate::address::AddressError;
use crate::instance::{Instance, InstanceMetadata};

/// A fixed list of servers: every service is on each of them. Go's `MultipleServersDiscovery`.
///
/// Clones share the list. [`update`](Self::update) replaces it at any time; the last update wins.
///
/// ```
/// let servers = rpcx::registry::MultipleServers::new([
///     "tcp@localhost:8972?weight=5",
///     "tcp@localhost:9981",
/// ])?;
/// # Ok::<(), rpcx::AddressError>(())
/// ```
#[derive(Clone, Debug)]
pub struct MultipleServers {
    list: Arc<watch::Sender<Snapshot>>,
}

impl MultipleServers {
    /// Takes addresses, each with metadata after a `?` if it has any.
    ///
    /// # Errors
    ///
    /// [`AddressError`] for the first text that is no address.
    pub fn new<T: AsRef<str>>(servers: impl IntoIterator<Item = T>) -> Result<Self, AddressError> {
        let servers = servers.into_iter().map(|server| parse(server.as_ref()));
        Ok(Self::of(servers.collect::<Result<Vec<_>, _>>()?))
    }

    /// Takes instances.
    pub fn of(instances: impl Into<Arc<[Instance]>>) -> Self {
        Self { list: Arc::new(watch::Sender::new(Snapshot::live(instances))) }
    }

    /// Replaces the list, for all clients that use it.
    pub fn update(&self, instances: impl Into<Arc<[Instance]>>) {
        self.list.send_replace(Snapshot::live(instances));
    }
}

/// Reads `network@target?query`.
fn parse(server: &str) -> Result<Instance, AddressError> {
    let (address, query) = server.split_once('?').unwrap_or((server, ""));
    Ok(Instance::new(address.parse()?).with_metadata(InstanceMetadata::parse(query)))
}

impl Discover for MultipleServers {
    fn discover(&self, _: &str) -> watch::Receiver<Snapshot> {
        self.list.subscribe()
    }
}

impl Register for MultipleServers {
    /// Does nothing: the list is the program's.
    fn register(&self, _: &str, _: Announcement) -> Registration {
        Registration::nowhere()
    }
}
