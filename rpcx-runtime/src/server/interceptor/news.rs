//! What interceptors are told of connections.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::service::contain_panic;
#[cfg(feature = "tls")]
use crate::tls::PeerIdentity;

/// A connection to this server, as its interceptors know it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConnectionInfo {
    id: u64,
    peer: Option<SocketAddr>,
    #[cfg(feature = "tls")]
    identity: Option<PeerIdentity>,
}

impl ConnectionInfo {
    pub(in crate::server) fn new(peer: Option<SocketAddr>) -> Self {
        Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            peer,
            #[cfg(feature = "tls")]
            identity: None,
        }
    }

    /// Adds what the client proved in its handshake.
    #[cfg(feature = "tls")]
    pub(in crate::server) fn with_identity(self, identity: Option<PeerIdentity>) -> Self {
        Self { identity, ..self }
    }

    /// Gives a number that no other connection of this process has.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Gives the client's address; `None` unless it came over TCP.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// Gives who the client has proved to be, if the server asks for certificates and this client has shown
    /// one. It is known to calls, not to the news of a connection, which is taken before the handshake.
    /// Needs the feature `tls`.
    #[cfg(feature = "tls")]
    pub fn peer_identity(&self) -> Option<&PeerIdentity> {
        self.identity.as_ref()
    }
}

/// Tells news: a panic there must not keep it from the others, nor a connection from its end.
pub(super) fn tell(connection: &ConnectionInfo, news: impl FnOnce()) {
    if contain_panic(news).is_none() {
        let peer = connection.peer();
        tracing::error!(?peer, "an interceptor panicked at the news of a connection");
    }
}

static NEXT: AtomicU64 = AtomicU64::new(1);
