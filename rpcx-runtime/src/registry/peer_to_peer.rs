//! One fixed server.

use tokio::sync::watch;

use super::{Announcement, Discover, Register, Registration, Snapshot};
use crate::address::{Address, AddressError};
use crate::instance::Instance;

/// One fixed server: every service is there. Go's `Peer2PeerDiscovery`.
#[derive(Clone, Debug)]
pub struct PeerToPeer {
    instance: Instance,
}

impl PeerToPeer {
    /// Takes the server's address: `tcp@host:port`.
    ///
    /// # Errors
    ///
    /// [`AddressError`] if the text is no address.
    pub fn new(address: &str) -> Result<Self, AddressError> {
        Ok(Self::at(address.parse()?))
    }

    /// Takes the server's address.
    pub fn at(address: Address) -> Self {
        Self { instance: Instance::new(address) }
    }
}

impl Discover for PeerToPeer {
    fn discover(&self, _: &str) -> watch::Receiver<Snapshot> {
        watch::channel(Snapshot::live([self.instance.clone()])).1
    }
}

impl Register for PeerToPeer {
    /// Does nothing: there is no place to write to.
    fn register(&self, _: &str, _: Announcement) -> Registration {
        Registration::nowhere()
    }
}
