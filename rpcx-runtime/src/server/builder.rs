//! How a server is set up.

use std::fmt;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::announce::{Plan, RegistrySettings};
use super::auth::{Auth, AuthRequest};
use super::bound::{BindError, Bound};
use super::interceptor::{Interceptor, Interceptors};
use super::route::Route;
use super::router::Router;
use super::{budget, capacity, stop};
use crate::address::Address;
use crate::context::Context;
use crate::error::Result;
use crate::outlet::MessageSettings;
use crate::private::bounds::{RpcArgument, RpcReply};
use crate::protocol::{Compressors, Limits};
use crate::registry::Registry;
use crate::service::Service;
use crate::service_info::ServiceInfo;
#[cfg(feature = "tls")]
use crate::tls::ServerTls;
use crate::transport::Listener;

/// Sets up a server: services first or last, the order of calls does not matter.
///
/// ```no_run
/// # #[cfg(feature = "macros")] mod example {
/// # use rpcx::Server;
/// # #[rpcx::service] pub trait Arith { async fn double(&self, number: i64) -> rpcx::Result<i64>; }
/// # struct Calculator;
/// # impl Arith for Calculator {
/// #     async fn double(&self, number: i64) -> rpcx::Result<i64> { Ok(2 * number) }
/// # }
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let bound = Server::new().add(ArithServer::new(Calculator)).bind("tcp@127.0.0.1:0").await?;
/// println!("listening on {}", bound.local_addr());
/// bound.serve_until(async { tokio::signal::ctrl_c().await.unwrap_or_default() }).await;
/// # Ok(()) } }
/// ```
#[derive(Debug, Default)]
#[must_use = "a server does nothing until it is bound and serves"]
pub struct Server {
    router: Router,
    settings: ServerSettings,
    registry: RegistrySettings,
    port: Port,
}

/// Who may listen at a server's port.
#[derive(Clone, Copy, Debug, Default)]
enum Port {
    #[default]
    Own,
    Shared,
}

/// What a server was told.
#[derive(Clone, Debug)]
pub(super) struct ServerSettings {
    pub(super) messages: MessageSettings,
    pub(super) auth: Option<Auth>,
    pub(super) interceptors: Interceptors,
    /// `None`: what the system lets the process have.
    connections: Option<usize>,
    pub(super) in_flight: usize,
    pub(super) request_bytes: usize,
    pub(super) shutdown: Duration,
    pub(super) propagation: Duration,
    #[cfg(feature = "tls")]
    pub(super) tls: Option<ServerTls>,
}

impl ServerSettings {
    pub(super) fn connections(&self) -> usize {
        self.connections.unwrap_or_else(capacity::connections)
    }
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            messages: MessageSettings::default(),
            auth: None,
            interceptors: Interceptors::default(),
            connections: None,
            in_flight: 1024,
            request_bytes: budget::DEFAULT,
            shutdown: Duration::from_secs(10),
            propagation: stop::PROPAGATION,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }
}

impl Server {
    /// Starts without services.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a service: `ArithServer::new(…)`. Two of one name are an error of [`bind`](Self::bind).
    #[expect(clippy::should_implement_trait, reason = "the word that users look for")]
    pub fn add(self, service: impl Service) -> Self {
        let name = service.info().name();
        self.add_as(name, service)
    }

    /// Adds a service under another name than its trait's, as Go's `RegisterName` does. Clients name
    /// it with [`ClientBuilder::service`](crate::client::ClientBuilder::service).
    pub fn add_as(mut self, name: impl Into<String>, service: impl Service) -> Self {
        self.router.add(name.into(), Arc::new(service));
        self
    }

    /// Adds a function that answers a method without a trait, as Go's `RegisterFunctionName` does.
    ///
    /// It takes and gives one value each, like a method with one parameter, in whatever codec over serde the
    /// caller uses; for protobuf there is [`bytes_function`](Self::bytes_function). Its service may have other functions, and a trait. A name that is there already is an error
    /// of [`bind`](Self::bind). In a registry that was given to [`registry`](Self::registry) the service is
    /// written down like any other.
    ///
    /// ```
    /// use rpcx::Server;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::new().function("Math", "Double", |_, number: i64| async move { Ok(2 * number) });
    /// tokio::spawn(server.bind("memory@functions").await?.serve());
    ///
    /// # use rpcx::{Client as _, client::Channel, reflection::MethodInfo};
    /// static DOUBLE: MethodInfo = MethodInfo::new("Math", "Double");
    /// let channel = Channel::connect_to("memory@functions").await?;
    /// let doubled: i64 = channel.call(&DOUBLE, &21).await?;
    /// assert_eq!(doubled, 42);
    /// # Ok(()) }
    /// ```
    pub fn function<A, R, F, Fut>(
        mut self,
        service: impl Into<String>,
        method: impl Into<String>,
        function: F,
    ) -> Self
    where
        A: RpcArgument,
        R: RpcReply,
        F: Fn(Arc<Context>, A) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R>> + Send + 'static,
    {
        self.router.add_route(Route::of_values(service.into(), method.into(), function));
        self
    }

    /// Adds a function of bytes: what was sent, decompressed and not decoded, to what is sent back. It is
    /// Go's `AddHandler`.
    ///
    /// [`Context::serialize_type`] tells the codec, which is also that of the reply. Names are as for
    /// [`function`](Self::function).
    pub fn bytes_function<F, Fut>(
        mut self,
        service: impl Into<String>,
        method: impl Into<String>,
        function: F,
    ) -> Self
    where
        F: Fn(Arc<Context>, Bytes) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Bytes>> + Send + 'static,
    {
        self.router.add_route(Route::of_bytes(service.into(), method.into(), function));
        self
    }

    /// Wraps calls with `interceptor`, inside those that were given before, and asks it about connections.
    pub fn interceptor(mut self, interceptor: impl Interceptor) -> Self {
        self.settings.interceptors.0.push(Arc::new(interceptor));
        self
    }

    /// Counts calls and connections through the [`metrics`](https://docs.rs/metrics) facade, outside of all
    /// interceptors: see [the guide](crate::guide::interceptors#metrics). Needs the feature `metrics`.
    #[cfg(feature = "metrics")]
    pub fn metrics(mut self) -> Self {
        self.settings.interceptors.0.insert(0, Arc::new(super::interceptor::Metrics::new()));
        self
    }

    /// Lists the services by name, each under the name that it is called by, with what its trait says.
    pub fn services(&self) -> impl Iterator<Item = (&str, &'static ServiceInfo)> {
        self.router.list()
    }

    /// Asks `check` about every call, before its payload is decompressed or decoded.
    ///
    /// The token is what the client put into the metadata key `__AUTH`. An error is answered with its
    /// text, and then the connection is closed, as by Go rpcx 1.9.4; heartbeats are not asked about.
    /// Compare secrets in constant time.
    ///
    /// ```
    /// # use rpcx::Server;
    /// let server = Server::new().auth(|request| async move {
    ///     if request.token() == "secret" { Ok(()) } else { Err("invalid token") }
    /// });
    /// ```
    pub fn auth<F, Fut, E>(mut self, check: F) -> Self
    where
        F: Fn(AuthRequest) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: fmt::Display + 'static,
    {
        self.settings.auth = Some(Auth::new(check));
        self
    }

    /// Replaces the limits on messages, received and sent.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.settings.messages.limits = limits;
        self
    }

    /// Replaces the table of compressors.
    pub fn compressors(mut self, compressors: Compressors) -> Self {
        self.settings.messages.compressors = compressors;
        self
    }

    /// Sets how many connections may be open, at least 1. The default is 10,000, or on Unix four fifths of the
    /// files that the process may have open (`ulimit -n`), if that is less. Further clients wait in the
    /// system's queue until one closes.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.settings.connections = Some(connections.max(1));
        self
    }

    /// Sets how many calls of one connection may run, at least 1; the default is 1,024. Beyond that
    /// the connection is not read until one ends, but for 3 s at most: then further calls are answered
    /// with an error that says that they did not run, and heartbeats are answered again.
    pub fn max_in_flight(mut self, calls: usize) -> Self {
        self.settings.in_flight = calls.max(1);
        self
    }

    /// Sets how many bytes of requests the server may hold, over all connections; the default is 256 MiB.
    ///
    /// What counts is what has come of a message that is not yet whole, and the requests whose calls run, at
    /// least 1 KiB each, as they came: not what becomes of them when they are decompressed or decoded.
    /// A connection's first 32 KiB do not count, so that small calls and heartbeats go on while large ones
    /// wait, and the bound is what is set here and 32 KiB a connection.
    ///
    /// Set it to more than the largest message that is to come: one that is larger waits for itself.
    ///
    /// When so much is held, connections that hold more than their 32 KiB are not read, for 3 s at most: then
    /// their further calls are answered with an error that says that they did not run, also one of which
    /// only the beginning has come. One-way calls wait and are dropped in the same way, whatever their
    /// connection holds.
    pub fn max_request_bytes(mut self, bytes: usize) -> Self {
        self.settings.request_bytes = bytes;
        self
    }

    /// Sets how long the server may take to stop; the default is 10 s. Calls that still run then are dropped.
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.settings.shutdown = timeout;
        self
    }

    /// Sets how long a server that stops lets clients in after it has taken its entries out of registries:
    /// as long as the slowest client may take to hear of it. The default is 2 s; it ends early when no
    /// client has come for a second. With zero there is no such wait.
    ///
    /// Servers that stand in no registry, or only in `inprocess`, do not wait.
    pub fn propagation(mut self, time: Duration) -> Self {
        self.settings.propagation = time;
        self
    }

    /// Lets other processes of the same user listen at the server's TCP port at the same time, on Unix
    /// (`SO_REUSEPORT`): a new version starts while the old one stops.
    ///
    /// All of them have to say so. The system spreads new connections over them. When one stops, a client
    /// whose connection it had not yet accepted is reset, so only [idempotent](crate::guide::options) calls
    /// are safe in that moment; a socket that is passed on does without it, see
    /// [`Listener::from_std`](crate::transport::Listener::from_std). It has no effect on
    /// [`bind_to`](Self::bind_to).
    pub fn reuse_port(mut self) -> Self {
        self.port = Port::Shared;
        self
    }

    /// Speaks TLS with all clients, whatever the address: `tcp@`, and `unix@` and `memory@` as well, on which
    /// Go rpcx 1.9.4 ignores its `WithTLSConfig`. Clients without TLS are refused. Needs the feature `tls`.
    ///
    /// A client has 10 s for its handshake, and counts among the
    /// [connections](Self::max_connections) meanwhile. What goes wrong in one is logged with the level WARN,
    /// at most once in 10 s, and otherwise with DEBUG.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, tls: impl Into<ServerTls>) -> Self {
        self.settings.tls = Some(tls.into());
        self
    }

    /// Registers all services in this registry, whatever their attributes or the environment say.
    ///
    /// Called again, they stand in each of them: for clients that look in different ones, as while a fleet moves
    /// from one to another. That is what Go rpcx 1.9.4 does with several plugins of the kind.
    pub fn registry(mut self, registry: impl Registry + 'static) -> Self {
        self.registry.registries.get_or_insert_default().push(Arc::new(registry));
        self
    }

    /// Registers no service, whatever their attributes or the environment say.
    pub fn without_registry(mut self) -> Self {
        self.registry.registries = Some(Vec::new());
        self
    }

    /// Sets the address that registries tell others; by default the one that is listened at, with
    /// the address of an interface in place of `0.0.0.0`. The environment's `RPCX_SERVICE_ADDRESS`
    /// counts less than this.
    pub fn service_address(mut self, address: Address) -> Self {
        self.registry.service_address = Some(address);
        self
    }

    /// Adds to what registries tell others of this server: `weight`, `group`, a location.
    ///
    /// A key that the service's attribute sets too has the value given here.
    pub fn instance_metadata(mut self, key: &str, value: impl Into<String>) -> Self {
        self.registry.metadata.set(key, value);
        self
    }

    /// Listens at `address`: `tcp@host:port`, `unix@path`, or `memory@name`. Port 0 lets the system
    /// choose; [`Bound::local_addr`] tells.
    ///
    /// # Errors
    ///
    /// [`BindError`] with everything that is wrong: the address, services of one name, what the
    /// operating system says.
    pub async fn bind(self, address: &str) -> Result<Bound, BindError> {
        let mut problems = self.router.problems();
        let address: Option<Address> = match address.parse() {
            Ok(address) => Some(address),
            Err(error) => {
                let error: crate::AddressError = error;
                problems.push(error.to_string());
                None
            }
        };
        let Some(address) = address.filter(|_| problems.is_empty()) else {
            return Err(BindError::new(problems, None));
        };
        let failed =
            |error| BindError::new(vec![format!("cannot listen on {address}")], Some(error));
        let listener = match self.port {
            Port::Own => Listener::bind(&address).await,
            Port::Shared => Listener::bind_shared(&address).await,
        };
        self.bind_to(listener.map_err(failed)?)
    }

    /// Listens with a listener that is there already: an inherited socket, or one of the program's own.
    ///
    /// # Errors
    ///
    /// [`BindError`] with everything that is wrong: services of one name, what the operating system
    /// says.
    pub fn bind_to(self, listener: Listener) -> Result<Bound, BindError> {
        let mut problems = self.router.problems();
        let local = listener.local_address().map_err(|error| {
            BindError::new(vec!["the listener has no address".to_owned()], Some(error))
        })?;
        let plan = Plan::new(&self.router, &self.registry, &local, &mut problems);
        if !problems.is_empty() {
            return Err(BindError::new(problems, None));
        }
        Ok(Bound::new(listener, local, plan, self.router, self.settings))
    }

    /// Listens at `address` and serves for ever: [`bind`](Self::bind) and [`Bound::serve`] in one.
    ///
    /// # Errors
    ///
    /// Those of [`bind`](Self::bind).
    pub async fn serve(self, address: &str) -> Result<(), BindError> {
        self.bind(address).await?.serve().await;
        Ok(())
    }
}

impl From<BindError> for io::Error {
    fn from(error: BindError) -> Self {
        Self::other(error)
    }
}
