//! ZooKeeper: an entry is an ephemeral node.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use rpcx::Instance;
//! use rpcx::registry::{Discover, Register, ZooKeeper};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let zookeeper = ZooKeeper::new(["127.0.0.1:2181"])
//!     .base_path("/rpcx_test")
//!     .update_interval(Duration::from_secs(30));
//!
//! let instance = Instance::new("tcp@10.0.0.7:8972".parse()?);
//! let registration = zookeeper.register("Arith", instance.into());
//! registration.registered().await?;
//!
//! let mut servers = zookeeper.discover("Arith");
//! let found = servers.wait_for(|list| !list.instances().is_empty()).await?.clone();
//! assert_eq!(found.instances()[0].address().target(), "10.0.0.7:8972");
//!
//! registration.withdraw().await;
//! # Ok(())
//! # }
//! ```
//!
//! # Where things are
//!
//! As Go rpcx 1.9.4 with rpcx-zookeeper has it, so that both find each other's servers:
//!
//! | node | data | kind |
//! |---|---|---|
//! | `/rpcx_test` | `rpcx_path` | persistent |
//! | `/rpcx_test/Arith` | `Arith` | persistent |
//! | `/rpcx_test/Arith/tcp@10.0.0.7:8972` | `calls=0.00&connections=0.00&weight=5` | ephemeral |
//!
//! Everybody may do anything with these nodes (`world:anyone`), as with Go's, unless
//! [`credentials`](ZooKeeper::credentials) are set. Nodes above the base
//! path are made without data. A base path gets exactly one leading slash, whether it has one or
//! not; slashes at its end are dropped. A Unix domain address has slashes in it, so it cannot be a
//! node's name: it is refused.
//!
//! # How fast
//!
//! An entry hangs on this process's session. ZooKeeper rounds the end of a session up to its tick
//! (normally 2 s), so the entry of a server that crashed is gone after the session's time and one
//! tick: **12 s** unless set otherwise. An entry that is withdrawn is gone at once.
//!
//! A connection that breaks is given 2 s (a third of the session's time, if that is less) to come
//! back with its session. After that a new session is opened and the entries are moved to it, each
//! in one transaction: no reader sees a list without them. So a ZooKeeper that lost its data, and
//! which the old session can never come back to, has the entries again about **3 s** after it
//! answers. Go 1.9.4 never registers again in that case.
//!
//! Lists follow changes of metadata too, as soon as they happen; Go's only see nodes come and go.
//! That needs ZooKeeper 3.6 or later.

mod backend;
mod connection;
mod diagnosis;
mod layout;
mod lease;
mod listing;
mod options;
mod session;

use std::time::Duration;

use tokio::sync::watch;

use self::backend::ZooKeeperBackend;
use self::options::ZooKeeperOptions;
#[cfg(feature = "zookeeper-tls")]
use super::Tls;
use super::credentials::Credentials;
use super::settings::Settings;
use super::supervisor::Supervisor;
use super::{Announcement, Discover, Register, Registration, Snapshot};

/// The ZooKeeper registry, for servers and clients.
///
/// Nothing is contacted before the first [`register`](Register::register) or
/// [`discover`](Discover::discover). Clones share their entries, their lists and a session; settings
/// come first: a setter makes a registry of its own.
#[derive(Clone, Debug)]
pub struct ZooKeeper {
    supervisor: Supervisor<ZooKeeperBackend>,
}

impl ZooKeeper {
    /// Takes the servers of one ensemble, each `host:port`; the port is 2181 unless given.
    ///
    /// What cannot be an address, or no server at all, shows as
    /// [`Refused`](super::RegistrationState::Refused) at registration, and in the list's
    /// [`Reach`](super::Reach) at discovery.
    pub fn new<T: Into<String>>(servers: impl IntoIterator<Item = T>) -> Self {
        Self::of(ZooKeeperOptions::new(Settings::new(servers)))
    }

    fn of(options: ZooKeeperOptions) -> Self {
        Self { supervisor: Supervisor::new(ZooKeeperBackend::new(options)) }
    }

    fn with(self, change: impl FnOnce(&mut ZooKeeperOptions)) -> Self {
        let mut options = self.supervisor.backend().options().clone();
        change(&mut options);
        Self::of(options)
    }

    /// Sets under which path the nodes are; `/rpcx` unless set. Slashes at both ends do not matter.
    ///
    /// An empty path is refused at registration (Go panics).
    #[must_use]
    pub fn base_path(self, path: impl Into<String>) -> Self {
        self.with(|options| options.settings.base_path = path.into())
    }

    /// Sets how often `calls` and `connections` are written into an entry; 1 minute unless set.
    ///
    /// Zero is refused at registration (Go makes nodes that never go away).
    #[must_use]
    pub fn update_interval(self, interval: Duration) -> Self {
        self.with(|options| options.settings.update_interval = interval)
    }

    /// Sets how long the session, and with it an entry, lives without a sign of life.
    ///
    /// Unless set: 10 s, or twice the update interval if that is less. ZooKeeper grants between 2
    /// and 20 of its ticks, normally 4 s to 40 s. What is outside of that is refused at registration
    /// if it was set here, with the number that is granted; if not, what is granted is taken, with
    /// a warning. An entry that somebody deleted is written again within a third of this time.
    #[must_use]
    pub fn session_ttl(self, ttl: Duration) -> Self {
        self.with(|options| options.settings.session_ttl = Some(ttl))
    }

    /// Sets whether `calls` and `connections` are written into entries; they are unless set.
    #[must_use]
    pub fn metrics(self, on: bool) -> Self {
        self.with(|options| options.settings.metrics = on)
    }

    /// Sets the user and password as which nodes are made (the scheme `digest`). The default is none.
    ///
    /// Nodes that are made with credentials can be read by anyone and changed by whoever has the same
    /// credentials. Without credentials anyone may do anything with them, as with Go's. That goes for
    /// the nodes above the servers' too: all servers below one base path need the same credentials,
    /// and Go's plugin, which has none, cannot register there. A node that is there keeps the rules
    /// that it has.
    ///
    /// ZooKeeper does not know users and cannot find a password wrong: with another one a server is
    /// just somebody else. To keep the password from who listens in, use TLS.
    ///
    /// An empty user, or one with a `:`, is refused at registration.
    #[must_use]
    pub fn credentials(self, user: &str, password: &str) -> Self {
        self.with(|options| options.credentials = Some(Credentials::new(user, password)))
    }

    /// Encrypts the connections, which go to the servers' `secureClientPort`. They are not unless set.
    ///
    /// Needs the feature `zookeeper-tls`. ZooKeeper's client brings a second crypto provider into the
    /// build (aws-lc) and uses the one that is the process's own. If there is none when a connection is
    /// opened, ring is made that: a program that wants another calls `install_default` of rustls first.
    #[cfg(feature = "zookeeper-tls")]
    #[must_use]
    pub fn tls(self, tls: Tls) -> Self {
        self.with(|options| options.tls = Some(tls))
    }
}

impl Discover for ZooKeeper {
    fn discover(&self, service: &str) -> watch::Receiver<Snapshot> {
        self.supervisor.discover(service)
    }
}

impl Register for ZooKeeper {
    fn register(&self, service: &str, announcement: Announcement) -> Registration {
        self.supervisor.register(service, announcement)
    }
}
