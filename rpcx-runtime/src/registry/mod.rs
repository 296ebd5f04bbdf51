//! Where servers are written down and found.
//!
//! A registry has two halves. [`Register`] writes a server's entry down and keeps it alive;
//! [`Discover`] follows the entries of a service. Each registry of this module has both:
//!
//! | registry | feature | what it is |
//! |---|---|---|
//! | [`PeerToPeer`] | always | one fixed server |
//! | [`MultipleServers`] | always | a fixed list, which the program may replace |
//! | [`InProcess`] | always | the servers of this process |
//! | `Etcd` | `etcd` | etcd v3, an entry on a lease |
//! | `ZooKeeper` | `zookeeper` | an ephemeral node |
//! | `Consul` | `consul` | a key held by a session |
//! | `Mdns` | `mdns` | multicast DNS, no server at all |
//!
//! Registries that are servers of their own may go away and come back. That never empties a list: the
//! last known one stays in use, and what this process registered is registered again.

#![cfg_attr(
    not(all(feature = "consul", feature = "etcd", feature = "mdns", feature = "zookeeper")),
    allow(dead_code, reason = "some of what they share is for registries that are not built in")
)]

mod announcement;
#[cfg(any(test, feature = "consul", feature = "etcd", feature = "zookeeper"))]
mod backend;
#[cfg(any(test, feature = "consul", feature = "etcd", feature = "mdns", feature = "zookeeper"))]
mod backoff;
#[cfg(feature = "consul")]
mod consul;
#[cfg(any(feature = "etcd", feature = "zookeeper"))]
mod credentials;
#[cfg(any(test, feature = "consul", feature = "etcd", feature = "zookeeper"))]
mod endpoint;
pub(crate) mod environment;
#[cfg(feature = "etcd")]
mod etcd;
#[cfg(test)]
mod events;
#[cfg(any(test, feature = "consul", feature = "etcd", feature = "zookeeper"))]
mod hold_back;
mod in_process;
#[cfg(feature = "mdns")]
mod mdns;
mod multiple_servers;
mod open;
mod peer_to_peer;
mod registration;
pub(crate) mod settings;
pub(crate) mod shared;
mod snapshot;
#[cfg(any(test, feature = "consul", feature = "etcd", feature = "zookeeper"))]
mod supervisor;
#[cfg(feature = "tls")]
mod tls;
mod tls_files;
#[cfg(feature = "zookeeper")]
mod zookeeper;

use std::fmt;

use tokio::sync::watch;

pub use announcement::{Announcement, Load};
#[cfg(feature = "consul")]
pub use consul::{Consul, ConsulLayout};
#[cfg(feature = "etcd")]
pub use etcd::Etcd;
pub use in_process::InProcess;
#[cfg(feature = "mdns")]
pub use mdns::Mdns;
pub use multiple_servers::MultipleServers;
pub use peer_to_peer::PeerToPeer;
pub use registration::{Registration, RegistrationState};
pub use settings::SettingsError;
pub use snapshot::{Reach, Snapshot};
#[cfg(feature = "tls")]
pub use tls::Tls;
#[cfg(feature = "zookeeper")]
pub use zookeeper::ZooKeeper;

/// Finds the servers of a service.
pub trait Discover: fmt::Debug + Send + Sync {
    /// Follows the servers of `service`.
    ///
    /// The receiver always holds the latest snapshot; a slow reader misses those between, never the
    /// last. Following ends when all receivers are dropped. Called in a tokio runtime.
    fn discover(&self, service: &str) -> watch::Receiver<Snapshot>;
}

/// Writes servers down.
pub trait Register: fmt::Debug + Send + Sync {
    /// Writes down who serves `service`, and keeps that so until the registration is withdrawn or
    /// dropped. Called in a tokio runtime.
    fn register(&self, service: &str, announcement: Announcement) -> Registration;
}

/// A registry with both halves.
pub trait Registry: Discover + Register {}

impl<T: Discover + Register> Registry for T {}

impl<T: Discover + ?Sized> Discover for std::sync::Arc<T> {
    fn discover(&self, service: &str) -> watch::Receiver<Snapshot> {
        (**self).discover(service)
    }
}

impl<T: Register + ?Sized> Register for std::sync::Arc<T> {
    fn register(&self, service: &str, announcement: Announcement) -> Registration {
        (**self).register(service, announcement)
    }
}
