//! TLS between clients and servers: [`ServerTls`] for [`Server::tls`](crate::Server::tls), [`ClientTls`] for
//! [`ClientBuilder::tls`](crate::client::ClientBuilder::tls).
//!
//! Addresses stay what they are, `tcp@host:port` as with Go rpcx: whether a side speaks TLS is a setting of that
//! side and never guessed, and nothing falls back to bytes that anyone can read.
//! [The guide](crate::guide::tls) shows both sides; for registries there is
//! [`registry::Tls`](crate::registry::Tls).
//!
//! [`rustls`] is exported here for programs that make configurations of their own: it is version 0.23.

mod client;
mod error;
mod identity;
mod meaning;
mod pem;
mod server;

pub use client::ClientTls;
pub use error::TlsError;
pub use identity::PeerIdentity;
pub use rustls;
pub use server::ServerTls;

pub(crate) use meaning::{CUT_OFF, meaning, of_client, refusal};
pub(crate) use pem::{certificates, key, roots, text};

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};

/// Gives the provider of ciphers. It is named, not looked up: which one the process has is not for a library
/// to say, and with two built in rustls knows none.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// Why the versions that rustls holds for safe suit the provider.
pub(crate) const HAS_CIPHERS: &str = "ring has the ciphers of TLS 1.2 and 1.3";
