//! How a client is set up.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use super::channel::{Channel, ChannelSettings, Client, Token};
use super::cluster::Cluster;
use super::heartbeat::Heartbeat;
use super::push::{Push, PushHandler};
use crate::error::{Error, Result};
use crate::protocol::{Compression, Compressors, Limits, SerializeType};
use crate::registry::environment::{self, Choice};
use crate::registry::{Discover, SettingsError, shared};
use crate::service_info::{FailMode, SelectMode, ServiceInfo};
use crate::transport::Connector;

/// Sets up a client `C`: a generated one, or a bare [`Channel`].
///
/// ```no_run
/// # use std::time::Duration;
/// # use rpcx::client::{Channel, Client as _};
/// # async fn example() -> rpcx::Result<()> {
/// let channel = Channel::builder()
///     .auth("bearer tGzv3JOkF0XG5Qx2TlKWIA")
///     .timeout(Duration::from_secs(2))
///     .connect_to("tcp@localhost:8972")
///     .await?;
/// # Ok(()) }
/// ```
pub struct ClientBuilder<C> {
    settings: ChannelSettings,
    registry: Option<RegistryChoice>,
    select: Option<SelectMode>,
    client: PhantomData<fn() -> C>,
}

/// Which registry a client was given in so many words.
#[derive(Debug)]
enum RegistryChoice {
    None,
    This(Arc<dyn Discover>),
}

impl<C: Client> ClientBuilder<C> {
    pub(super) fn new() -> Self {
        let (registry, select) = (None, None);
        let settings = ChannelSettings::default();
        Self { settings, registry, select, client: PhantomData }
    }

    /// Sends a token with every call, in the metadata key `__AUTH`, as Go's `Auth` does.
    #[must_use]
    pub fn auth(mut self, token: impl Into<String>) -> Self {
        self.settings.auth = Some(Token(token.into()));
        self
    }

    /// Sets how long a call waits for its reply, connecting included; none by default. It counts
    /// more than the service's `#[rpcx(timeout = …)]`, and less than the call's own.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = Some(timeout);
        self
    }

    /// Sets how long opening a connection may take; the default is 1 s, as in Go.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.settings.connect_timeout = timeout;
        self
    }

    /// Asks the server for a sign of life every `interval`, and gives the connection up if it does
    /// not come within `wait`. Off by default, as in Go; `interval` and `wait` of 10 s and 5 s find
    /// a silent server within 15 s.
    #[must_use]
    pub fn heartbeat(mut self, interval: Duration, wait: Duration) -> Self {
        self.settings.heartbeat = Some(Heartbeat { interval, wait });
        self
    }

    /// Sets the codec of the calls; the default is the service's, `MessagePack` unless it says more.
    #[must_use]
    pub fn codec(mut self, serialize_type: SerializeType) -> Self {
        self.settings.serialize_type = Some(serialize_type);
        self
    }

    /// Compresses arguments of more than 1,024 bytes; the server then compresses such replies.
    #[must_use]
    pub fn compress(mut self, compression: Compression) -> Self {
        self.settings.compression = Some(compression);
        self
    }

    /// Replaces the table of compressors.
    #[must_use]
    pub fn compressors(mut self, compressors: Compressors) -> Self {
        self.settings.messages.compressors = compressors;
        self
    }

    /// Replaces the limits on messages, sent and received.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.settings.messages.limits = limits;
        self
    }

    /// Sets how many calls may wait for replies on the connection, at least 1; the default is
    /// 1,024. Further calls wait for a place.
    #[must_use]
    pub fn max_in_flight(mut self, calls: usize) -> Self {
        self.settings.in_flight = calls.max(1);
        self
    }

    /// Hands messages that the server sends on its own to `handler`; without one they are dropped.
    ///
    /// It runs in the connection's reading task: hand work that takes time to a task or a channel,
    /// or replies will wait for it. If it panics, that message is lost and reading goes on.
    #[must_use]
    pub fn on_push(mut self, handler: impl Fn(Push) + Send + Sync + 'static) -> Self {
        self.settings.on_push = Some(PushHandler(Arc::new(handler)));
        self
    }

    /// Opens connections in another way than over the network.
    #[must_use]
    pub fn connector(mut self, connector: impl Connector + 'static) -> Self {
        self.settings.connector = Arc::new(connector);
        self
    }

    /// Finds servers in this registry, whatever the service's attribute or the environment say.
    #[must_use]
    pub fn registry(mut self, registry: impl Discover + 'static) -> Self {
        self.registry = Some(RegistryChoice::This(Arc::new(registry)));
        self
    }

    /// Finds servers in no registry, whatever the service's attribute or the environment say:
    /// [`connect`](Self::connect) is then an error, [`connect_to`](Self::connect_to) goes on working.
    #[must_use]
    pub fn without_registry(mut self) -> Self {
        self.registry = Some(RegistryChoice::None);
        self
    }

    /// Sets the name of the service, in the registry and in calls; by default that of its trait.
    ///
    /// It belongs to the channel: all clients on it call that service.
    #[must_use]
    pub fn service(mut self, name: impl Into<String>) -> Self {
        self.settings.service = Some(name.into());
        self
    }

    /// Calls only servers of this group: `group` in what they say of themselves.
    #[must_use]
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.settings.group = Some(group.into());
        self
    }

    /// Sets how servers are chosen; the default is the service's, [`SelectMode::Random`] unless it
    /// says more.
    #[must_use]
    pub fn select(mut self, mode: SelectMode) -> Self {
        self.select = Some(mode);
        self
    }

    /// Sets what a call does when a server fails; the default is the service's,
    /// [`FailMode::Failtry`] unless it says more.
    #[must_use]
    pub fn fail_mode(mut self, mode: FailMode) -> Self {
        self.settings.fail_mode = Some(mode);
        self
    }

    /// Sets how often a failed call is made again at most; the default is 3, as in Go.
    #[must_use]
    pub fn retries(mut self, retries: u32) -> Self {
        self.settings.retries = retries;
        self
    }

    /// Finds the servers of the service in a registry: the one given here, or the environment's
    /// `RPCX_REGISTRY`, or the one that the service's attribute names.
    ///
    /// It waits at most the connect timeout for the registry's first answer. A registry that cannot
    /// be reached is no error: it is tried again and again, and until it answers calls fail with
    /// [`Error::NoServer`].
    ///
    /// # Errors
    ///
    /// [`Error::NoServer`] if there is no registry to ask, or its settings are wrong.
    pub async fn connect(self) -> Result<C> {
        let no_server = |why: String| Error::NoServer { why };
        let info = C::service_info();
        let name = self.settings.service.as_deref().or(info.map(ServiceInfo::name));
        let name = name.ok_or_else(|| no_server("the builder names no service".to_owned()))?;
        let registry = self.find_registry(info);
        let registry = registry.map_err(|error| no_server(error.to_string()))?.ok_or_else(|| {
            no_server(format!(
                "`{name}` has no registry: name one in the trait's `#[rpcx(registry = …)]`, on the \
                 builder or in RPCX_REGISTRY; or connect to an address with `connect_to`"
            ))
        })?;
        let select = self.select.or(info.and_then(ServiceInfo::given_select));
        let settings = Arc::new(self.settings.clone());
        let cluster = Cluster::discovered(registry, name, select.unwrap_or_default(), &settings);
        // A registry that is slow to answer is like one that does not: calls will say so.
        let _ = tokio::time::timeout(settings.connect_timeout, cluster.first_answer()).await;
        Ok(C::from_channel(Channel::new(cluster, settings)))
    }

    fn find_registry(
        &self,
        info: Option<&ServiceInfo>,
    ) -> std::result::Result<Option<Arc<dyn Discover>>, SettingsError> {
        match &self.registry {
            Some(RegistryChoice::None) => return Ok(None),
            Some(RegistryChoice::This(registry)) => return Ok(Some(Arc::clone(registry))),
            None => {}
        }
        match environment::registry()? {
            Choice::None => Ok(None),
            Choice::Registry(registry) => Ok(Some(registry as _)),
            Choice::Unset => match info.and_then(ServiceInfo::given_registry) {
                Some(info) => shared::of(info).map(|registry| Some(registry as _)),
                None => Ok(None),
            },
        }
    }

    /// Connects to one server: `tcp@host:port`, `unix@path`, or `memory@name`.
    ///
    /// # Errors
    ///
    /// [`Error::Address`](crate::Error::Address) if the text is no address,
    /// [`Error::Connect`](crate::Error::Connect) if there is no connection in time.
    pub async fn connect_to(self, address: &str) -> Result<C> {
        let channel = self.channel(address)?;
        if let Some(server) = channel.cluster().only() {
            server.dial().await?;
        }
        Ok(C::from_channel(channel))
    }

    /// Makes a client that connects with its first call: the server need not be there yet.
    ///
    /// # Errors
    ///
    /// [`Error::Address`](crate::Error::Address) if the text is no address.
    pub fn connect_lazily(self, address: &str) -> Result<C> {
        Ok(C::from_channel(self.channel(address)?))
    }

    fn channel(self, address: &str) -> Result<Channel> {
        let settings = Arc::new(self.settings);
        Ok(Channel::new(Cluster::of_one(address.parse()?, &settings), settings))
    }
}

impl<C> fmt::Debug for ClientBuilder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder").field("settings", &self.settings).finish_non_exhaustive()
    }
}
