//! How a client is set up.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use super::breaker::Breaker;
use super::budget::RetryBudget;
use super::channel::{Channel, Client};
use super::cluster::Cluster;
use super::health::Ejection;
use super::heartbeat::{Heartbeat, Heartbeats};
use super::interceptor::Interceptor;
use super::pool::Pool;
use super::push::{Push, PushHandler};
use super::selector::{self, Selector};
use super::settings::{ChannelSettings, Token};
use crate::error::{Error, Result};
use crate::instance::Instance;
use crate::modes::{FailMode, RetryRule, SelectMode};
use crate::protocol::{Compression, Compressors, Limits, SerializeType};
use crate::registry::environment::{self, Choice};
use crate::registry::{Discover, SettingsError, shared};
use crate::service_info::ServiceInfo;
#[cfg(feature = "tls")]
use crate::tls::ClientTls;
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
    select: Option<Choosing>,
    client: PhantomData<fn() -> C>,
}

/// Which registry a client was given in so many words.
#[derive(Debug)]
enum RegistryChoice {
    None,
    This(Arc<dyn Discover>),
}

/// How servers are chosen, if the builder was told.
#[derive(Clone, Debug)]
enum Choosing {
    Mode(SelectMode),
    Own(Arc<dyn Selector>),
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

    /// Asks every server for a sign of life every `interval`, and gives the connection up if it does
    /// not come within `wait`; both are at least a millisecond.
    ///
    /// By default servers of this crate are asked every 10 s and have 5 s, so that a silent one is
    /// found within 15 s; Go's are not asked, as by Go's own clients.
    #[must_use]
    pub fn heartbeat(mut self, interval: Duration, wait: Duration) -> Self {
        let [interval, wait] = [interval, wait].map(|time| time.max(SHORTEST));
        self.settings.heartbeat = Heartbeats::All(Heartbeat { interval, wait });
        self
    }

    /// Asks no server for a sign of life. One that vanishes without a word is then found by TCP alone:
    /// within 15 s while it owes an answer to something sent, otherwise within 75 s.
    #[must_use]
    pub fn without_heartbeat(mut self) -> Self {
        self.settings.heartbeat = Heartbeats::Off;
        self
    }

    /// Closes a connection that carried no call for this long, at least a millisecond; the next call
    /// opens another. Off by default, as Go's `IdleTimeout`. It takes up to twice as long to be noticed.
    /// Heartbeats are no calls.
    #[must_use]
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.settings.idle_timeout = Some(timeout.max(SHORTEST));
        self
    }

    /// Sets after which silence TCP asks the server's system for a sign of life; the default is 60 s,
    /// as in Go. `None` turns it off.
    #[must_use]
    pub fn tcp_keepalive(mut self, period: Option<Duration>) -> Self {
        self.settings.network = self.settings.network.keepalive(period);
        self
    }

    /// Sets how many connections each server gets, at least 1, the default. Calls take them in turn.
    ///
    /// One is enough for most: calls do not wait for each other on it. More help where one core
    /// cannot read or write all that a single connection carries.
    #[must_use]
    pub fn connections_per_server(mut self, connections: usize) -> Self {
        self.settings.connections_per_server = connections.max(1);
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
        self.settings.connector = Some(Arc::new(connector));
        self
    }

    /// Speaks TLS with all servers, whatever their addresses: `tcp@`, and `unix@` and `memory@` as well, for
    /// which [`ClientTls::server_name`] has to say whose certificate is expected. Needs the feature `tls`.
    ///
    /// Servers without TLS are then not called, and those with it only by clients that have this. A handshake
    /// that fails is [`Error::Connect`], and its source says why. The [connect timeout](Self::connect_timeout)
    /// is for connection and handshake together.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, tls: impl Into<ClientTls>) -> Self {
        self.settings.tls = Some(tls.into());
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

    /// Calls only servers of this group: `group` in what they say of themselves. Go's `Option.Group`.
    #[must_use]
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.settings.filter.group = Some(group.into());
        self
    }

    /// Calls only servers that `filter` lets through, of those that are active and in the group. Go's
    /// `SetFilter`; it also holds for servers that the registry names later. If it panics, that server is
    /// not let through.
    #[must_use]
    pub fn filter(mut self, filter: impl Fn(&Instance) -> bool + Send + Sync + 'static) -> Self {
        self.settings.filter.own = Some(Arc::new(filter));
        self
    }

    /// Sets how servers are chosen; the default is the service's, [`SelectMode::Random`] unless it
    /// says more.
    ///
    /// [`SelectMode::Closest`] has to know where the client is: use
    /// [`selector(Closest::new(…))`](Self::selector) instead.
    #[must_use]
    pub fn select(mut self, mode: SelectMode) -> Self {
        self.select = Some(Choosing::Mode(mode));
        self
    }

    /// Chooses servers with this selector: one of [`selector`](super::selector) or your own.
    #[must_use]
    pub fn selector(mut self, selector: impl Selector) -> Self {
        self.select = Some(Choosing::Own(Arc::new(selector)));
        self
    }

    /// Sends all calls to the server that the first of them chose, as long as its connection stays
    /// open; then another is chosen. Go's `Option.Sticky`, except that a server that left the list is
    /// left too.
    #[must_use]
    pub fn sticky(mut self) -> Self {
        self.settings.sticky = true;
        self
    }

    /// Lets calls wait up to `timeout`, at most a year, for a first server when there is none to call: the
    /// client may then start before any server. By default they fail at once.
    #[must_use]
    pub fn wait_for_server(mut self, timeout: Duration) -> Self {
        self.settings.wait_for_server = Some(timeout);
        self
    }

    /// Sets what a call does when a server fails; the default is the service's,
    /// [`FailMode::Failtry`] unless it says more.
    #[must_use]
    pub fn fail_mode(mut self, mode: FailMode) -> Self {
        self.settings.governance.fail_mode = Some(mode);
        self
    }

    /// Sets how often a failed call is made again at most; the default is the service's, 3 unless it
    /// says more, as in Go.
    #[must_use]
    pub fn retries(mut self, retries: u32) -> Self {
        self.settings.governance.retries = Some(retries);
        self
    }

    /// Sets which failed calls may be made again; the default is the service's,
    /// [`RetryRule::Safe`] unless it says more.
    #[must_use]
    pub fn retry(mut self, rule: RetryRule) -> Self {
        self.settings.governance.retry = Some(rule);
        self
    }

    /// Sets the pause before a call is made again. By default it is random, up to 20 ms at first and
    /// doubled up to a second, and there is none on the way to another server.
    #[must_use]
    pub fn retry_interval(mut self, interval: Duration) -> Self {
        self.settings.governance.retry_interval = Some(interval);
        self
    }

    /// Sets how many further attempts all calls of the channel may have together; the default is a
    /// fifth of the calls and 10 a second.
    #[must_use]
    pub fn retry_budget(mut self, budget: RetryBudget) -> Self {
        self.settings.retry_budget = budget;
        self
    }

    /// Sets how long the first server has under [`FailMode::Failbackup`] before a second one is called
    /// as well; the default is the service's, 10 ms unless it says more, as in Go.
    #[must_use]
    pub fn backup_latency(mut self, latency: Duration) -> Self {
        self.settings.governance.backup_latency = Some(latency);
        self
    }

    /// Sets how long a single attempt may take, connecting included; none by default. A call whose
    /// attempt took too long is made again if that is safe.
    #[must_use]
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.settings.governance.attempt_timeout = Some(timeout);
        self
    }

    /// Refuses calls to a server while its breaker is open; without one by default, as in Go.
    ///
    /// A server whose breaker is open is not chosen as long as there are others. A call that was begun at it
    /// is refused: with [`FailMode::Failover`] it is then made at another one.
    #[must_use]
    pub fn breaker(mut self, breaker: Breaker) -> Self {
        self.settings.breaker = Some(breaker);
        self
    }

    /// Sets when servers that fail are passed over for a while; `None` turns it off.
    #[must_use]
    pub fn ejection(mut self, ejection: impl Into<Option<Ejection>>) -> Self {
        self.settings.ejection = ejection.into();
        self
    }

    /// Counts calls, attempts and connections through the [`metrics`](https://docs.rs/metrics) facade: see
    /// [the guide](crate::guide::servers#what-can-be-watched). Needs the feature `metrics`.
    #[cfg(feature = "metrics")]
    #[must_use]
    pub fn metrics(mut self) -> Self {
        self.settings.metrics = true;
        self
    }

    /// Wraps calls and attempts with `interceptor`, inside those that were given before.
    #[must_use]
    pub fn interceptor(mut self, interceptor: impl Interceptor) -> Self {
        self.settings.interceptors.0.push(Arc::new(interceptor));
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
        let info = C::service_info();
        let name = self.settings.service.as_deref().or(info.map(ServiceInfo::name));
        let name = name.ok_or_else(|| no_server("the builder names no service".to_owned()))?;
        let channel = self.discover(name, info, Arc::new(Pool::new())).await?;
        Ok(C::from_channel(channel))
    }

    pub(super) fn without_service(mut self) -> Self {
        self.settings.service = None;
        self
    }

    /// Makes the channel of a service whose servers a registry names.
    pub(super) async fn discover(
        &self,
        name: &str,
        info: Option<&ServiceInfo>,
        pool: Arc<Pool>,
    ) -> Result<Channel> {
        let registry = self.find_registry(info);
        let registry = registry.map_err(|error| no_server(error.to_string()))?.ok_or_else(|| {
            no_server(format!(
                "`{name}` has no registry: name one in the trait's `#[rpcx(registry = …)]`, on the \
                 builder or in RPCX_REGISTRY; or connect to an address with `connect_to`"
            ))
        })?;
        let selector = self.find_selector(info)?;
        let counts_pending = selector.wants_pending();
        let settings = Arc::new(ChannelSettings { counts_pending, ..self.settings.clone() });
        let cluster = Cluster::discovered(registry, name, selector, pool, &settings);
        // A registry that is slow to answer is like one that does not: calls will say so.
        let _ = tokio::time::timeout(settings.connect_timeout, cluster.first_answer()).await;
        Ok(Channel::new(cluster, settings))
    }

    fn find_selector(&self, info: Option<&ServiceInfo>) -> Result<Arc<dyn Selector>> {
        let mode = match &self.select {
            Some(Choosing::Own(selector)) => return Ok(Arc::clone(selector)),
            Some(Choosing::Mode(mode)) => *mode,
            None => info.and_then(ServiceInfo::given_select).unwrap_or_default(),
        };
        selector::of(mode).ok_or_else(|| {
            no_server(format!(
                "the selector `{mode}` has to know where the client is: give the builder \
                 `.selector(Closest::new(latitude, longitude)?)`"
            ))
        })
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
            let lane = server.next_lane();
            server.dial(lane).await?;
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
        let selector: Arc<dyn Selector> = match self.select {
            Some(Choosing::Own(selector)) => selector,
            // There is nothing to choose.
            _ => Arc::new(selector::Random),
        };
        let counts_pending = selector.wants_pending();
        let settings = Arc::new(ChannelSettings { counts_pending, ..self.settings });
        let cluster = Cluster::of_one(address.parse()?, selector, &settings);
        Ok(Channel::new(cluster, settings))
    }
}

/// What tokio's clock can tell apart: a shorter wait may be none, and a loop of them never pauses.
const SHORTEST: Duration = Duration::from_millis(1);

fn no_server(why: String) -> Error {
    Error::NoServer { why }
}

impl<C> fmt::Debug for ClientBuilder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder").field("settings", &self.settings).finish_non_exhaustive()
    }
}
