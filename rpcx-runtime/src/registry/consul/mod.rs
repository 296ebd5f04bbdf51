//! Consul: an entry is a key that a session holds, or a native service with a health check.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use rpcx::Instance;
//! use rpcx::registry::{Consul, Discover, Register};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let consul = Consul::new(["127.0.0.1:8500"])
//!     .base_path("/rpcx_test")
//!     .update_interval(Duration::from_secs(30));
//!
//! let instance = Instance::new("tcp@10.0.0.7:8972".parse()?);
//! let registration = consul.register("Arith", instance.into());
//! registration.registered().await?;
//!
//! let mut servers = consul.discover("Arith");
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
//! As Go rpcx 1.9.4 with rpcx-consul 0.1.1 has it, so that both find each other's servers:
//!
//! | key | value | held by |
//! |---|---|---|
//! | `rpcx_test` | `rpcx_path` | nobody |
//! | `rpcx_test/Arith` | `Arith` | nobody |
//! | `rpcx_test/Arith/tcp@10.0.0.7:8972` | `calls=0.00&connections=0.00&weight=5` | the server's session |
//!
//! Keys have no leading slash, whether the base path has one or not. All flags are
//! `0x2ddccbc058a50c18`, the mark of a lock. The session's behavior is `delete`: when it ends, the
//! keys that it holds go.
//!
//! # How fast
//!
//! Consul allows no session shorter than its `session_ttl_min`, normally 10 s, and ends one between
//! one and two times its time to live: the entry of a server that crashed stays for up to **20 s**.
//! [`ConsulLayout::Service`] has no such limit.

mod allowed_ttl;
mod api;
mod backend;
mod blocking;
mod connection;
mod entries;
mod entry;
mod guard;
mod lease;
mod native;
mod options;
mod session;
mod skipped;

use std::time::Duration;

use tokio::sync::watch;

use self::backend::ConsulBackend;
use self::options::{ConsulOptions, Token};
#[cfg(feature = "tls")]
use super::Tls;
use super::settings::Settings;
use super::supervisor::Supervisor;
use super::{Announcement, Discover, Register, Registration, Snapshot};

/// The Consul registry, for servers and clients.
///
/// Nothing is contacted before the first [`register`](Register::register) or
/// [`discover`](Discover::discover). Clones share their entries, their lists and a session; settings
/// come first: a setter makes a registry of its own.
///
/// With several endpoints, the next is tried when one does not answer. Bodies of more than 16 MiB
/// are not read.
#[derive(Clone, Debug)]
pub struct Consul {
    supervisor: Supervisor<ConsulBackend>,
}

/// How a server is written into Consul, and looked for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum ConsulLayout {
    /// As a key, like Go rpcx. The default.
    #[default]
    Kv,
    /// As a native Consul service with a TTL health check; Go rpcx knows nothing of these.
    ///
    /// The service's id is `Arith-tcp@10.0.0.7:8972`, its name `Arith`; the base path is not used.
    /// The metadata is in `Meta`: the whole query as `rpcx_metadata`, and each pair that Consul
    /// accepts under its own key. A client takes every service of the name that passes its checks,
    /// also one that another tool registered. The agent forgets a service that has been silent for a
    /// minute.
    ///
    /// A service lives on the agent that it was registered with. Give that agent alone as the
    /// endpoint: an address of several agents would spread the registration.
    Service,
    /// Servers are written both ways; clients look at the keys.
    Both,
}

impl Consul {
    /// Takes the endpoints of one Consul cluster, each `host:port`.
    ///
    /// `http://` or, with `Consul::tls`, `https://` may stand in front. An endpoint that cannot be used
    /// (none at all, a scheme that contradicts what is said about TLS) shows as
    /// [`Refused`](super::RegistrationState::Refused) at registration, and in the list's
    /// [`Reach`](super::Reach) at discovery.
    pub fn new<T: Into<String>>(endpoints: impl IntoIterator<Item = T>) -> Self {
        Self::of(ConsulOptions::new(Settings::new(endpoints)))
    }

    fn of(options: ConsulOptions) -> Self {
        Self { supervisor: Supervisor::new(ConsulBackend::new(options)) }
    }

    fn with(self, change: impl FnOnce(&mut ConsulOptions)) -> Self {
        let mut options = self.supervisor.backend().options().clone();
        change(&mut options);
        Self::of(options)
    }

    /// Sets under which path the keys are; `/rpcx` unless set. Slashes at both ends do not matter.
    ///
    /// An empty path is refused at registration (Go panics).
    #[must_use]
    pub fn base_path(self, path: impl Into<String>) -> Self {
        self.with(|options| options.settings.base_path = path.into())
    }

    /// Sets how often `calls` and `connections` are written into an entry; 1 minute unless set.
    ///
    /// Also how soon an entry is written again that somebody deleted. Zero is refused at
    /// registration. Go cannot start with less than 10 s.
    #[must_use]
    pub fn update_interval(self, interval: Duration) -> Self {
        self.with(|options| options.settings.update_interval = interval)
    }

    /// Sets how long an entry lives without a sign of life; one is given three times as often.
    ///
    /// Unless set: 10 s, or twice the update interval if that is less. What is below Consul's
    /// `session_ttl_min` (normally 10 s) is refused at registration if it was set here, and raised
    /// with a warning if not. With [`ConsulLayout::Service`] the least is 1 s.
    #[must_use]
    pub fn session_ttl(self, ttl: Duration) -> Self {
        self.with(|options| options.settings.session_ttl = Some(ttl))
    }

    /// Sets whether `calls` and `connections` are written into entries; they are unless set.
    #[must_use]
    pub fn metrics(self, on: bool) -> Self {
        self.with(|options| options.settings.metrics = on)
    }

    /// Sets the ACL token, sent as `X-Consul-Token`; none is sent unless set.
    ///
    /// It needs `key:write` and `session:write` to register, `key:read` to discover; with
    /// [`ConsulLayout::Service`] `service:write` and `service:read`.
    #[must_use]
    pub fn token(self, token: impl Into<String>) -> Self {
        self.with(|options| options.token = Some(Token::new(token.into())))
    }

    /// Encrypts the connections. They are not unless set.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(self, tls: Tls) -> Self {
        self.with(|options| options.tls = Some(tls))
    }

    /// Sets how servers are written; as keys unless set.
    #[must_use]
    pub fn layout(self, layout: ConsulLayout) -> Self {
        self.with(|options| options.layout = layout)
    }
}

impl Discover for Consul {
    fn discover(&self, service: &str) -> watch::Receiver<Snapshot> {
        self.supervisor.discover(service)
    }
}

impl Register for Consul {
    fn register(&self, service: &str, announcement: Announcement) -> Registration {
        self.supervisor.register(service, announcement)
    }
}
