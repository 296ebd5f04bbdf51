//! The way to one server, over a connection that is opened again when it is lost.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use tokio::time::Instant;

use super::channel::ChannelSettings;
use super::connection::{Connection, Loss};
use crate::address::Address;
use crate::error::{Error, Result};

/// The way to one server.
///
/// It is closed when the last holder lets it go: the channel, as long as the server is in its list,
/// and every call that is on its way.
pub(super) struct Endpoint {
    address: Address,
    settings: Arc<ChannelSettings>,
    current: RwLock<Option<Arc<Connection>>>,
    dialing: tokio::sync::Mutex<()>,
    last_dial: Mutex<LastDial>,
    /// The last dial failed: only then is `last_dial` worth a look.
    failing: AtomicBool,
}

/// How many dials there were, and how the last one failed.
#[derive(Clone, Default)]
struct LastDial {
    number: u64,
    failure: Option<(io::ErrorKind, String)>,
    /// How many failed since one succeeded.
    failures: u32,
    /// Until when other servers are to be preferred.
    avoid_until: Option<Instant>,
}

impl LastDial {
    /// Gives what a further dial leaves.
    fn after(&self, failure: Option<(io::ErrorKind, String)>) -> Self {
        let number = self.number.wrapping_add(1);
        let failures = if failure.is_some() { self.failures.saturating_add(1) } else { 0 };
        let avoid_until = (failures > 0).then(|| Instant::now() + avoidance(failures));
        Self { number, failure, failures, avoid_until }
    }
}

/// Gives how long a server that cannot be reached is avoided: a second, doubled with each failure.
fn avoidance(failures: u32) -> Duration {
    let doubled = FIRST_AVOIDANCE.saturating_mul(1 << failures.saturating_sub(1).min(10));
    doubled.min(LONGEST_AVOIDANCE)
}

impl Endpoint {
    pub(super) fn new(address: Address, settings: Arc<ChannelSettings>) -> Self {
        Self {
            address,
            settings,
            current: RwLock::default(),
            dialing: tokio::sync::Mutex::default(),
            last_dial: Mutex::default(),
            failing: AtomicBool::new(false),
        }
    }

    /// Tells whether other servers are to be preferred, since this one could not be reached lately.
    pub(super) fn is_avoided(&self) -> bool {
        // Relaxed: a caller that learns of it a moment later only tries a server in vain.
        self.failing.load(Ordering::Relaxed)
            && self.last_dial().avoid_until.is_some_and(|until| Instant::now() < until)
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// Gives the connection, if there is one; it may have ended.
    pub(super) fn current(&self) -> Option<Arc<Connection>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Opens a connection, or waits for the caller that is already doing so.
    pub(super) async fn dial(self: Arc<Self>) -> Result<Arc<Connection>> {
        let before = self.last_dial().number;
        let _turn = self.dialing.lock().await;
        if let Some(connection) = self.current().filter(|connection| !connection.is_closed()) {
            return Ok(connection);
        }
        let last = self.last_dial().clone();
        if let Some((kind, text)) = last.failure.clone().filter(|_| last.number != before) {
            // Whoever went before has just failed: the same for all that waited for it.
            return Err(self.connect_error(io::Error::new(kind, text)));
        }
        let connect = self.settings.connector.connect(&self.address);
        let result = tokio::time::timeout(self.settings.connect_timeout, connect).await;
        let result = result.unwrap_or_else(|_| {
            let text = format!("no connection within {:?}", self.settings.connect_timeout);
            Err(io::Error::new(io::ErrorKind::TimedOut, text))
        });
        let failure = result.as_ref().err().map(|error| (error.kind(), error.to_string()));
        self.failing.store(failure.is_some(), Ordering::Relaxed);
        *self.last_dial() = last.after(failure);
        let duplex = result.map_err(|error| self.connect_error(error))?;
        let settings = Arc::clone(&self.settings);
        let connection = Connection::open(duplex, self.address.clone(), settings);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        *current = Some(Arc::clone(&connection));
        Ok(connection)
    }

    fn connect_error(&self, source: io::Error) -> Error {
        Error::Connect { address: self.address.clone(), source }
    }

    fn last_dial(&self) -> MutexGuard<'_, LastDial> {
        self.last_dial.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        if let Some(connection) = self.current.get_mut().unwrap_or_else(PoisonError::into_inner) {
            connection.lose(Loss::Closed);
        }
    }
}

const FIRST_AVOIDANCE: Duration = Duration::from_secs(1);
const LONGEST_AVOIDANCE: Duration = Duration::from_secs(30);
