//! How often clients connect and call.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::client_address::counted_as;
use super::method_table::MethodTable;
use super::pace::{Pace, PaceByKey};
use super::rate::Rate;
use super::{ConnectionInfo, Incoming, Interceptor, Next, Outgoing, Rejection};

/// Lets clients connect and call only so often: in all, from one address, one method.
///
/// No limit is set at first. A connection beyond one is closed. A call beyond one is answered that it did
/// not run, in Go's words `request reached rate limit` and with what comes after them; the metadata key
/// `retry-after-ms` says in how many milliseconds it might. Clients of this crate make it again, at another
/// server if there is one. What one limit has counted stays counted if another refuses.
///
/// An address is an IPv4 address or the first 64 bits of an IPv6 address, without the port. Clients over
/// Unix sockets and within the process have none, and no limit by address. 10,000 addresses are
/// [remembered](Self::addresses); those beyond share one count.
///
/// Go's are `RateLimitingPlugin` and `ReqRateLimitingPlugin`, in all only.
///
/// ```
/// use rpcx::server::interceptor::{Rate, RateLimit};
///
/// let limit = RateLimit::new()
///     .connections_per_address(Rate::per_second(10))
///     .calls_per_address(Rate::per_second(1_000))
///     .method("Users", "Register", Rate::per_second(5));
/// let server = rpcx::Server::new().interceptor(limit);
/// ```
#[derive(Default)]
pub struct RateLimit {
    connections: Option<Pace>,
    connections_per_address: Option<Rate>,
    calls: Option<Pace>,
    calls_per_address: Option<Rate>,
    per_method: Option<Rate>,
    /// Methods that have a limit of their own, and those that were called.
    methods: Mutex<MethodTable<Arc<Pace>>>,
    addresses: Addresses,
    wait: Option<Duration>,
}

/// What is counted by address.
struct Addresses {
    most: usize,
    connections: Option<PaceByKey<IpAddr>>,
    calls: Option<PaceByKey<IpAddr>>,
}

impl Default for Addresses {
    fn default() -> Self {
        Self { most: 10_000, connections: None, calls: None }
    }
}

impl RateLimit {
    /// Starts without a limit.
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits connections in all.
    #[must_use]
    pub fn connections(mut self, rate: Rate) -> Self {
        self.connections = Some(Pace::new(rate));
        self
    }

    /// Limits the connections from each address.
    #[must_use]
    pub fn connections_per_address(mut self, rate: Rate) -> Self {
        self.connections_per_address = Some(rate);
        self.with_addresses()
    }

    /// Limits calls in all.
    #[must_use]
    pub fn calls(mut self, rate: Rate) -> Self {
        self.calls = Some(Pace::new(rate));
        self
    }

    /// Limits the calls from each address.
    #[must_use]
    pub fn calls_per_address(mut self, rate: Rate) -> Self {
        self.calls_per_address = Some(rate);
        self.with_addresses()
    }

    /// Limits the calls of each method, where [`method`](Self::method) does not say otherwise. Calls of
    /// methods that the server does not have are not counted here.
    #[must_use]
    pub fn calls_per_method(mut self, rate: Rate) -> Self {
        self.per_method = Some(rate);
        self
    }

    /// Limits the calls of this method. The names are those that the service was added under and the
    /// method is declared by, not aliases.
    #[must_use]
    pub fn method(self, service: &str, method: &str, rate: Rate) -> Self {
        self.methods().insert(service, method, Arc::new(Pace::new(rate)));
        self
    }

    /// Sets how many addresses are remembered at a time, at least 1; the default is 10,000. Each takes
    /// less than 100 bytes. An address is forgotten when what it did counts no more.
    #[must_use]
    pub fn addresses(mut self, most: usize) -> Self {
        self.addresses.most = most.max(1);
        self.with_addresses()
    }

    /// Lets a call wait for its turn, so long at most. One that would wait longer, or longer than its caller
    /// does, is refused at once. By default none waits.
    ///
    /// Calls have their turns in the order in which they come; a caller that gives up while it waits has had
    /// its turn. Waiting calls count as running ones of their connection.
    #[must_use]
    pub fn wait(mut self, longest: Duration) -> Self {
        self.wait = Some(longest);
        self
    }

    fn with_addresses(mut self) -> Self {
        let most = self.addresses.most;
        let pace = |rate: Option<Rate>| rate.map(|rate| PaceByKey::new(rate, most));
        self.addresses.connections = pace(self.connections_per_address);
        self.addresses.calls = pace(self.calls_per_address);
        self
    }

    fn methods(&self) -> MutexGuard<'_, MethodTable<Arc<Pace>>> {
        self.methods.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the count of a method that the server has: there are only so many.
    fn pace(&self, service: &str, method: &str) -> Option<Arc<Pace>> {
        let mut methods = self.methods();
        if let Some(pace) = methods.get(service, method) {
            return Some(Arc::clone(pace));
        }
        let pace = Arc::new(Pace::new(self.per_method?));
        methods.insert(service, method, Arc::clone(&pace));
        Some(pace)
    }

    /// How long a call may still wait that came at `begun`.
    fn patience(&self, begun: Instant, request: &Incoming) -> Duration {
        let Some(longest) = self.wait else { return Duration::ZERO };
        let left = longest.saturating_sub(begun.elapsed());
        request.remaining().map_or(left, |remaining| remaining.min(left))
    }
}

/// Waits for a call's turn, if it may.
async fn turn(
    reserved: Result<Duration, Duration>,
    what: impl FnOnce() -> String,
) -> Result<(), Rejection> {
    let wait = reserved.map_err(|left| refusal(&what(), left))?;
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
    Ok(())
}

impl Interceptor for RateLimit {
    async fn call(&self, request: Incoming, next: Next<'_>) -> Result<Outgoing, Rejection> {
        let begun = Instant::now();
        let patience = || self.patience(begun, &request);
        // The narrowest first: one address does not use up what all share.
        if let (Some(pace), Some(address)) = (&self.addresses.calls, counted_as(request.peer())) {
            let what = || "calls from this address".to_owned();
            turn(pace.reserve(&address, patience()), what).await?;
        }
        if let Some((service, method)) = request.target()
            && let Some(pace) = self.pace(service, method)
        {
            let what = || format!("calls of {service}.{method}");
            turn(pace.reserve(patience()), what).await?;
        }
        if let Some(pace) = &self.calls {
            turn(pace.reserve(patience()), || "calls of this server".to_owned()).await?;
        }
        next.run(request).await
    }

    fn accept(&self, connection: &ConnectionInfo) -> Result<(), String> {
        if let (Some(pace), Some(address)) =
            (&self.addresses.connections, counted_as(connection.peer()))
        {
            let checked = pace.check(&address);
            checked.map_err(|_| "too many connections from its address".to_owned())?;
        }
        let Some(pace) = &self.connections else { return Ok(()) };
        pace.check().map_err(|_| "too many connections".to_owned())
    }
}

fn refusal(what: &str, left: Duration) -> Rejection {
    let milliseconds = left.as_nanos().div_ceil(1_000_000);
    let text = format!("request reached rate limit: {what}, again in {milliseconds} ms");
    Rejection::not_executed(text).metadata(RETRY_AFTER, milliseconds.to_string())
}

impl fmt::Debug for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimit")
            .field("connections", &self.connections.is_some())
            .field("connections_per_address", &self.connections_per_address)
            .field("calls", &self.calls.is_some())
            .field("calls_per_address", &self.calls_per_address)
            .field("calls_per_method", &self.per_method)
            .finish_non_exhaustive()
    }
}

/// Says in how many milliseconds a call that was refused might pass.
const RETRY_AFTER: &str = "retry-after-ms";
