//! etcd v3: an entry is a key on a lease.
//!
//! The keys and values are those of Go rpcx-etcd 0.5.0, so that servers and clients of both worlds
//! find each other:
//!
//! | key | value | on the lease |
//! |---|---|---|
//! | `/rpcx_test` | `rpcx_path` | no |
//! | `/rpcx_test/Arith` | `Arith` | no |
//! | `/rpcx_test/Arith/tcp@127.0.0.1:8972` | `calls=0.00&connections=0.00&weight=5` | yes |
//!
//! Reconnecting, repeating and telling the user is the supervisor's; here each thing is done once.

mod connection;
mod error;
mod keys;
mod lease;
mod servers;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use etcd_client::{Client, ConnectOptions};
use tokio::sync::watch;

use self::connection::EtcdConnection;
use self::keys::Keys;
#[cfg(feature = "tls")]
use super::Tls;
use super::backend::{Backend, BackendError};
use super::credentials::Credentials;
use super::endpoint::{Encryption, without_scheme};
use super::settings::Settings;
use super::supervisor::Supervisor;
use super::{Announcement, Discover, Register, Registration, SettingsError, Snapshot};

/// etcd v3 as a registry. Go's `EtcdV3RegisterPlugin` and `EtcdV3Discovery`.
///
/// Clones share one connection and one lease; a value that a setter returns has its own. Nothing is
/// sent before the first [`register`](Register::register) or [`discover`](Discover::discover).
///
/// A server that dies is out of the clients' lists at the latest 1 s after its
/// [`session_ttl`](Self::session_ttl): 11 s by default. Go's first lease lives 30 s, whatever its
/// settings say.
///
/// Compiling the feature `etcd` needs `protoc` and the well-known `.proto` files, on Debian the
/// packages `protobuf-compiler` and `libprotobuf-dev`. Connections are encrypted with the feature `tls`
/// and `Etcd::tls`.
///
/// ```no_run
/// use std::time::Duration;
///
/// use rpcx::registry::{Discover, Etcd, Register};
/// use rpcx::{Instance, InstanceMetadata};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let etcd = Etcd::new(["127.0.0.1:2379"]).base_path("/rpcx_test").session_ttl(Duration::from_secs(5));
///
/// let metadata = InstanceMetadata::parse("weight=5");
/// let instance = Instance::new("tcp@127.0.0.1:8972".parse()?).with_metadata(metadata);
/// let registration = etcd.register("Arith", instance.clone().into());
/// registration.registered().await?;
///
/// let mut servers = etcd.discover("Arith");
/// let snapshot = servers.wait_for(|snapshot| !snapshot.instances().is_empty()).await?;
/// assert_eq!(snapshot.instances()[..], [instance]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Etcd {
    supervisor: Supervisor<EtcdBackend>,
}

impl Etcd {
    /// Takes the members of one etcd cluster, each `host:port`.
    ///
    /// `http://` or, with `Etcd::tls`, `https://` may stand in front. One that contradicts what is said
    /// about TLS is refused when a server registers.
    pub fn new<T: Into<String>>(servers: impl IntoIterator<Item = T>) -> Self {
        Self::of(EtcdBackend {
            settings: Settings::new(servers),
            credentials: None,
            #[cfg(feature = "tls")]
            tls: None,
            raised: Arc::default(),
        })
    }

    /// Sets the namespace: what all keys begin with. The default is `/rpcx`.
    ///
    /// It is used as it is but for `/` at its end: `rpcx_test` and `/rpcx_test` are two namespaces,
    /// as in Go. With an empty one nothing is registered or found.
    #[must_use]
    pub fn base_path(self, path: &str) -> Self {
        self.with(|backend| path.clone_into(&mut backend.settings.base_path))
    }

    /// Sets how often `calls` and `connections` are written into the entries. The default is 60 s.
    ///
    /// An entry that somebody deleted is written again then. What an operator changed stays, as in
    /// Go. Zero is an error when a server registers.
    #[must_use]
    pub fn update_interval(self, interval: Duration) -> Self {
        self.with(|backend| backend.settings.update_interval = interval)
    }

    /// Sets how long an entry outlives its process: the lease's time to live, in whole seconds
    /// (rounded up), at least 3 s.
    ///
    /// The default is 10 s, or twice the update interval if that is less; less than 3 s is an error
    /// when a server registers.
    #[must_use]
    pub fn session_ttl(self, ttl: Duration) -> Self {
        self.with(|backend| backend.settings.session_ttl = Some(ttl))
    }

    /// Sets whether `calls` and `connections` are written into the entries. The default is yes.
    #[must_use]
    pub fn metrics(self, metrics: bool) -> Self {
        self.with(|backend| backend.settings.metrics = metrics)
    }

    /// Sets the user and password for a cluster with authentication. The default is none.
    #[must_use]
    pub fn credentials(self, user: &str, password: &str) -> Self {
        self.with(|backend| backend.credentials = Some(Credentials::new(user, password)))
    }

    /// Encrypts the connections. They are not unless set.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(self, tls: Tls) -> Self {
        self.with(|backend| backend.tls = Some(tls))
    }

    fn of(backend: EtcdBackend) -> Self {
        Self { supervisor: Supervisor::new(backend) }
    }

    fn with(self, change: impl FnOnce(&mut EtcdBackend)) -> Self {
        let mut backend = self.supervisor.backend().clone();
        change(&mut backend);
        backend.raised = Arc::default();
        Self::of(backend)
    }
}

impl Discover for Etcd {
    fn discover(&self, service: &str) -> watch::Receiver<Snapshot> {
        self.supervisor.discover(service)
    }
}

impl Register for Etcd {
    fn register(&self, service: &str, announcement: Announcement) -> Registration {
        self.supervisor.register(service, announcement)
    }
}

impl fmt::Debug for Etcd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.supervisor.fmt(f)
    }
}

/// Where etcd is and how it is used.
#[derive(Clone)]
struct EtcdBackend {
    settings: Settings,
    credentials: Option<Credentials>,
    #[cfg(feature = "tls")]
    tls: Option<Tls>,
    /// It was said that an entry lives longer than twice the update interval.
    raised: Arc<AtomicBool>,
}

impl Backend for EtcdBackend {
    type Connection = EtcdConnection;

    const NAME: &'static str = "etcd";

    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn ttl(&self) -> Result<Duration, SettingsError> {
        self.keys()?;
        let ttl = self.settings.ttl(Self::NAME, SHORTEST_TTL)?;
        if self.settings.is_raised_by(SHORTEST_TTL) && !self.raised.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                registry = Self::NAME,
                "an entry lives {ttl:?} without a sign of life: etcd allows no less",
            );
        }
        Ok(ttl)
    }

    async fn connect(&self) -> Result<EtcdConnection, BackendError> {
        let keys = self.keys()?;
        let ttl = self.ttl()?;
        let client = Client::connect(self.servers()?, Some(self.options())).await;
        Ok(EtcdConnection::new(client.map_err(error::plain)?, keys, ttl))
    }
}

impl EtcdBackend {
    fn keys(&self) -> Result<Keys, SettingsError> {
        if self.settings.servers.is_empty() {
            return Err(SettingsError("no etcd server is given".to_owned()));
        }
        self.servers()?;
        Keys::new(&self.settings.base_path)
    }

    /// Gives the servers as URLs.
    fn servers(&self) -> Result<Vec<String>, SettingsError> {
        let encryption = self.encryption();
        let url = |server: &String| {
            let server = without_scheme(Self::NAME, server, encryption)?;
            Ok(format!("{}://{server}", encryption.scheme()))
        };
        self.settings.servers.iter().map(url).collect()
    }

    #[cfg(feature = "tls")]
    fn encryption(&self) -> Encryption {
        if self.tls.is_some() { Encryption::Tls } else { Encryption::None }
    }

    #[cfg(not(feature = "tls"))]
    #[expect(clippy::unused_self, reason = "as with the feature `tls`")]
    fn encryption(&self) -> Encryption {
        Encryption::None
    }

    fn options(&self) -> ConnectOptions {
        let options = ConnectOptions::new()
            .with_connect_timeout(CONNECT)
            .with_keep_alive(PING_INTERVAL, PING_TIMEOUT)
            // etcd hangs up on clients that ping without a stream.
            .with_keep_alive_while_idle(false)
            // Otherwise a member that lost its cluster keeps a watch open and silent.
            .with_require_leader(true);
        #[cfg(feature = "tls")]
        let options = match &self.tls {
            None => options,
            Some(tls) => options.with_tls(tls_options(tls)),
        };
        match &self.credentials {
            None => options,
            Some(Credentials { user, password }) => {
                options.with_user(user, password).with_auto_token_refresh(true)
            }
        }
    }
}

/// Says the same in the words of etcd's client, which reads PEM itself.
#[cfg(feature = "tls")]
fn tls_options(tls: &Tls) -> etcd_client::TlsOptions {
    let options = etcd_client::TlsOptions::new()
        .ca_certificate(etcd_client::Certificate::from_pem(tls.authorities()))
        .timeout(CONNECT);
    match tls.certificate_and_key() {
        None => options,
        Some((certificate, key)) => {
            options.identity(etcd_client::Identity::from_pem(certificate, key))
        }
    }
}

impl fmt::Debug for EtcdBackend {
    /// Leaves the password out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Etcd")
            .field("settings", &self.settings)
            .field("user", &self.credentials.as_ref().map(|credentials| &credentials.user))
            .field("encryption", &self.encryption())
            .finish_non_exhaustive()
    }
}

/// A little above etcd's own floor with its default election timeout, 2 s.
const SHORTEST_TTL: Duration = Duration::from_secs(3);
const CONNECT: Duration = Duration::from_secs(2);
/// etcd hangs up on clients that ping more often than every 5 s.
const PING_INTERVAL: Duration = Duration::from_secs(6);
/// With the interval less than the default time to live: a hung server is noticed before its
/// entries expire.
const PING_TIMEOUT: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::super::events::Events;
    use super::*;

    #[test]
    fn debug_does_not_show_the_password() {
        let etcd = Etcd::new(["h:1"]).credentials("root", "secret");
        let text = format!("{etcd:?}");
        assert!(text.contains("root") && !text.contains("secret"), "{text}");
    }

    #[test]
    fn a_setter_leaves_other_clones_as_they_are() {
        let etcd = Etcd::new(["h:1"]).base_path("/a");
        let changed = etcd.clone().base_path("/b");
        assert_eq!(etcd.supervisor.backend().settings.base_path, "/a");
        assert_eq!(changed.supervisor.backend().settings.base_path, "/b");
    }

    #[test]
    fn a_time_to_live_that_is_raised_is_warned_of_once() {
        let often = Etcd::new(["h:1"]).update_interval(Duration::from_secs(1));
        let backend = often.supervisor.backend();
        let events = Events::of_this_thread();
        for _ in 0..3 {
            assert_eq!(backend.ttl(), Ok(SHORTEST_TTL));
        }
        assert_eq!(
            events.take(Level::WARN),
            ["an entry lives 3s without a sign of life: etcd allows no less"],
        );
        // Another object has a warning of its own; what the user said is no reason for one.
        let another = often.base_path("/another");
        assert_eq!(another.supervisor.backend().ttl(), Ok(SHORTEST_TTL));
        assert_eq!(events.take(Level::WARN).len(), 1);
        let said = another.session_ttl(SHORTEST_TTL);
        assert_eq!(said.supervisor.backend().ttl(), Ok(SHORTEST_TTL));
        assert_eq!(events.take(Level::WARN).len(), 0);
    }

    #[test]
    fn wrong_settings_are_named() {
        let ttl = |etcd: Etcd| etcd.supervisor.backend().ttl().unwrap_err().to_string();
        let etcd = || Etcd::new(["h:1"]);
        assert_eq!(ttl(etcd().base_path("/")), "the base path is empty");
        assert_eq!(ttl(Etcd::new([""; 0])), "no etcd server is given");
        assert_eq!(
            ttl(etcd().session_ttl(Duration::from_secs(2))),
            "session_ttl is 2s, etcd allows no less than 3s",
        );
    }
}
