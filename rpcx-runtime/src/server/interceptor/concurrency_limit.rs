//! How many calls run at a time, and how many connections are open.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use super::client_address::counted_as;
use super::method_table::MethodTable;
use super::{ConnectionInfo, Incoming, Interceptor, Next, Outgoing, Rejection};

/// Lets only so many calls run at a time, of a method and of the server as a whole, and only so many
/// connections be open from one address.
///
/// A call beyond that is refused at once, or once it has waited as long as [`wait`](Self::wait) says. The
/// answer says that it did not run: clients of this crate make it again, at another server if there is one.
/// No limit is set at first. Calls of methods that the server does not have count as a whole only.
///
/// How many calls of one *connection* run, and how many connections are open in all, are the server's own
/// limits: [`max_in_flight`](crate::Server::max_in_flight), [`max_connections`](crate::Server::max_connections).
///
/// ```
/// use std::time::Duration;
/// use rpcx::server::interceptor::ConcurrencyLimit;
///
/// let limit = ConcurrencyLimit::new()
///     .total(10_000)
///     .method("Reports", "Yearly", 2)
///     .wait(Duration::from_millis(500), 100);
/// let server = rpcx::Server::new().interceptor(limit);
/// ```
#[derive(Default)]
pub struct ConcurrencyLimit {
    total: Option<Gate>,
    per_method: Option<usize>,
    /// Methods that have a limit of their own, and those that were called.
    methods: Mutex<MethodTable<Arc<Gate>>>,
    wait: Option<Wait>,
    per_address: Option<usize>,
    /// The open connections by address: no more entries than connections.
    open: Mutex<Open>,
}

type Open = HashMap<IpAddr, usize>;

/// How calls wait for one that ends.
#[derive(Clone, Copy)]
struct Wait {
    longest: Duration,
    calls: usize,
}

/// A number of places, and those who wait for one.
struct Gate {
    places: Semaphore,
    waiting: AtomicUsize,
}

impl ConcurrencyLimit {
    /// Starts without a limit.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how many calls run at a time in all, at least 1.
    #[must_use]
    pub fn total(mut self, calls: usize) -> Self {
        self.total = Some(Gate::new(calls));
        self
    }

    /// Sets how many calls of each method run at a time, at least 1, where [`method`](Self::method) does
    /// not say otherwise.
    #[must_use]
    pub fn per_method(mut self, calls: usize) -> Self {
        self.per_method = Some(calls);
        self
    }

    /// Sets how many calls of this method run at a time, at least 1. The names are those that the service
    /// was added under and the method is declared by, not aliases.
    #[must_use]
    pub fn method(self, service: &str, method: &str, calls: usize) -> Self {
        let gate = Arc::new(Gate::new(calls));
        self.methods().insert(service, method, gate);
        self
    }

    /// Lets calls wait for their turn, each so long at most, and so many for each limit at a time; those
    /// beyond are refused at once. By default none waits.
    #[must_use]
    pub fn wait(mut self, longest: Duration, calls: usize) -> Self {
        self.wait = Some(Wait { longest, calls });
        self
    }

    /// Sets how many connections may be open from one address, at least 1; further ones are closed.
    ///
    /// An address is an IPv4 address or the first 64 bits of an IPv6 address. Clients over Unix sockets
    /// and within the process have none, and no limit.
    #[must_use]
    pub fn connections_per_address(mut self, connections: usize) -> Self {
        self.per_address = Some(connections.max(1));
        self
    }

    /// Gives the open connections, if they are to be counted, and what this one is counted by.
    fn open(&self, connection: &ConnectionInfo) -> Option<(MutexGuard<'_, Open>, IpAddr, usize)> {
        let most = self.per_address?;
        let address = counted_as(connection.peer())?;
        Some((self.open.lock().unwrap_or_else(PoisonError::into_inner), address, most))
    }

    fn methods(&self) -> MutexGuard<'_, MethodTable<Arc<Gate>>> {
        self.methods.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the gate of a method that the server has: there are only so many.
    fn gate(&self, request: &Incoming) -> Option<Arc<Gate>> {
        let (service, method) = request.target()?;
        let mut methods = self.methods();
        if let Some(gate) = methods.get(service, method) {
            return Some(Arc::clone(gate));
        }
        let gate = Arc::new(Gate::new(self.per_method?));
        methods.insert(service, method, Arc::clone(&gate));
        Some(gate)
    }
}

impl Interceptor for ConcurrencyLimit {
    async fn call(&self, request: Incoming, next: Next<'_>) -> Result<Outgoing, Rejection> {
        let gate = self.gate(&request);
        // The method's first: who waits there keeps no place from other methods.
        let _place = match &gate {
            Some(gate) => Some(gate.enter(self.wait).await.ok_or_else(|| {
                let (service, method) = request.target().unwrap_or_default();
                refusal(&format!("{service}.{method}"))
            })?),
            None => None,
        };
        let _place_in_all = match &self.total {
            Some(gate) => Some(gate.enter(self.wait).await.ok_or_else(|| refusal("this server"))?),
            None => None,
        };
        next.run(request).await
    }

    fn accept(&self, connection: &ConnectionInfo) -> Result<(), String> {
        let Some((open, address, most)) = self.open(connection) else { return Ok(()) };
        match open.get(&address) {
            Some(count) if *count >= most => {
                Err(format!("{count} connections are open from its address"))
            }
            _ => Ok(()),
        }
    }

    fn connected(&self, connection: &ConnectionInfo) {
        // Nobody else is asked in between: one task takes all connections in.
        if let Some((mut open, address, _)) = self.open(connection) {
            *open.entry(address).or_default() += 1;
        }
    }

    fn disconnected(&self, connection: &ConnectionInfo) {
        let Some((mut open, address, _)) = self.open(connection) else { return };
        if let Some(count) = open.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&address);
            }
        }
    }
}

impl Gate {
    fn new(places: usize) -> Self {
        let places = Semaphore::new(places.clamp(1, Semaphore::MAX_PERMITS));
        Self { places, waiting: AtomicUsize::new(0) }
    }

    /// Takes a place, perhaps after a wait.
    async fn enter(&self, wait: Option<Wait>) -> Option<SemaphorePermit<'_>> {
        if let Ok(place) = self.places.try_acquire() {
            return Some(place);
        }
        let wait = wait?;
        let _waiting = Waiting::begin(&self.waiting, wait.calls)?;
        tokio::time::timeout(wait.longest, self.places.acquire()).await.ok()?.ok()
    }
}

/// One who waits.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    /// `None` if so many wait already.
    fn begin(waiting: &'a AtomicUsize, most: usize) -> Option<Self> {
        let counted = Self(waiting);
        // Relaxed: the counter orders nothing but itself.
        (waiting.fetch_add(1, Ordering::Relaxed) < most).then_some(counted)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn refusal(of: &str) -> Rejection {
    Rejection::not_executed(format!("too many calls of {of} are running"))
}

impl fmt::Debug for ConcurrencyLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let free = self.total.as_ref().map(|gate| gate.places.available_permits());
        f.debug_struct("ConcurrencyLimit").field("free", &free).finish_non_exhaustive()
    }
}
