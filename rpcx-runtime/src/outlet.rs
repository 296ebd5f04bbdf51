//! The connection that a request came on, as far as an answer needs to know it.

use std::net::SocketAddr;

use crate::protocol::{Compressors, Limits, Output};
#[cfg(feature = "tls")]
use crate::tls::PeerIdentity;

/// The connection that a request came on.
///
/// A trait, so that contexts and generated code do not know the server.
pub(crate) trait Outlet: Send + Sync {
    /// Lets `write` append to the bytes that leave next; `false` if the connection is closed.
    fn write(&self, write: &mut dyn FnMut(&mut Output)) -> bool;

    /// Counts the bytes that wait to leave.
    fn queued(&self) -> usize;

    /// Ends the connection once all that was written has left.
    fn close(&self);

    /// Gives the number of the next pushed message, from 1.
    fn next_push(&self) -> u64;

    /// Gives what the server was told about messages.
    fn settings(&self) -> &MessageSettings;

    /// Gives the address of the other end, if it has one.
    fn peer(&self) -> Option<SocketAddr>;

    /// Gives who the other end has proved to be.
    #[cfg(feature = "tls")]
    fn peer_identity(&self) -> Option<&PeerIdentity>;
}

/// What a side was told about messages.
#[derive(Clone, Debug, Default)]
pub(crate) struct MessageSettings {
    pub(crate) limits: Limits,
    pub(crate) compressors: Compressors,
}
