//! The way to one server, over connections that are opened again when they are lost.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::{ArcSwapOption, Guard};
use tokio::time::Instant;
use tracing::Instrument as _;

use super::breaker::{Circuit, Permit};
use super::connection::{Connection, Loss};
use super::health::{Failure, Health, Standing, Trouble};
use super::secure::secure;
use super::selector::Stats;
use super::settings::ChannelSettings;
use crate::address::Address;
use crate::error::{Error, Refusal, Result};
use crate::transport::Duplex;

/// A connection that is being opened.
pub(super) type Dial = Pin<Box<dyn Future<Output = Result<Arc<Connection>>> + Send>>;

/// The way to one server.
///
/// It is closed when the last holder lets it go: the channel, as long as the server is in its list,
/// and every call that is on its way.
pub(super) struct Endpoint {
    address: Address,
    settings: Arc<ChannelSettings>,
    stats: Arc<Stats>,
    health: Arc<Health>,
    circuit: Option<Arc<Circuit>>,
    lanes: Box<[Lane]>,
    next_lane: AtomicUsize,
}

/// One connection to the server, or the place for it.
#[derive(Default)]
struct Lane {
    current: ArcSwapOption<Connection>,
    dialing: Arc<tokio::sync::Mutex<()>>,
    last_dial: Mutex<LastDial>,
}

/// How many dials there were, and how the last one failed.
#[derive(Clone, Default)]
struct LastDial {
    number: u64,
    failure: Option<(io::ErrorKind, String)>,
}

impl Endpoint {
    pub(super) fn new(address: Address, settings: Arc<ChannelSettings>, trouble: Trouble) -> Self {
        let health = Health::new(address.clone(), settings.ejection, trouble.clone());
        let health = Arc::new(health);
        let circuit =
            settings.breaker.map(|breaker| Circuit::new(breaker, address.clone(), trouble));
        let circuit = circuit.map(Arc::new);
        let lanes = (0..settings.connections_per_server).map(|_| Lane::default()).collect();
        let (stats, next_lane) = (Arc::default(), AtomicUsize::new(0));
        Self { address, settings, stats, health, circuit, lanes, next_lane }
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    pub(super) fn stats(&self) -> &Arc<Stats> {
        &self.stats
    }

    pub(super) fn health(&self) -> &Arc<Health> {
        &self.health
    }

    pub(super) fn circuit(&self) -> Option<&Arc<Circuit>> {
        self.circuit.as_ref()
    }

    /// Tells whether the server's breaker would refuse a call now.
    pub(super) fn is_refusing(&self) -> bool {
        self.circuit.as_ref().is_some_and(|circuit| circuit.is_refusing())
    }

    /// Lets a call go to the server, if its breaker does.
    pub(super) fn admit(&self) -> Result<Option<Permit>> {
        let Some(circuit) = &self.circuit else { return Ok(None) };
        let refused = |_| Error::NotExecuted { reason: Refusal::BreakerOpen(self.address.clone()) };
        circuit.admit().map(Some).map_err(refused)
    }

    /// Counts the calls that wait for their replies.
    pub(super) fn pending(&self) -> usize {
        let connections = self.lanes.iter().filter_map(|lane| lane.current.load_full());
        connections.map(|connection| connection.pending()).sum()
    }

    /// Gives which connection the next call takes: each in turn.
    pub(super) fn next_lane(&self) -> usize {
        match self.lanes.len() {
            1 => 0,
            // Relaxed: the counter orders nothing but itself, and may wrap.
            several => self.next_lane.fetch_add(1, Ordering::Relaxed) % several,
        }
    }

    /// Gives the connection, if there is one; it may have ended.
    pub(super) fn connection(&self, lane: usize) -> Guard<Option<Arc<Connection>>> {
        self.lanes[lane].current.load()
    }

    pub(super) fn open_connections(&self) -> usize {
        let connections = self.lanes.iter().filter_map(|lane| lane.current.load_full());
        connections.filter(|connection| !connection.is_closed()).count()
    }

    /// Tells whether one of the connections is open, or the first is yet to be.
    pub(super) fn is_as_good_as_open(&self) -> bool {
        let mut opened = self.lanes.iter().filter_map(|lane| lane.current.load_full()).peekable();
        match opened.peek() {
            Some(_) => opened.any(|connection| !connection.is_closed()),
            None => self.health.standing() == Standing::Good,
        }
    }

    /// Opens a connection, or waits for the caller that is already doing so.
    ///
    /// It is opened in a task of its own, which takes no longer than the connect timeout: callers with
    /// less time than a connection needs would otherwise never get one, however many they are.
    pub(super) async fn dial(self: Arc<Self>, lane: usize) -> Result<Arc<Connection>> {
        let place = &self.lanes[lane];
        let before = place.last_dial().number;
        let turn = Arc::clone(&place.dialing).lock_owned().await;
        if let Some(connection) = place.current.load_full().filter(|one| !one.is_closed()) {
            return Ok(connection);
        }
        let last = place.last_dial().clone();
        if let Some((kind, text)) = last.failure.filter(|_| last.number != before) {
            // Whoever went before has just failed: the same for all that waited for it.
            return Err(self.connect_error(io::Error::new(kind, text)));
        }
        let this = Arc::clone(&self);
        let opening = async move { (this.open(lane).await, turn) };
        match tokio::spawn(opening.in_current_span()).await {
            // The next one's turn is when this caller is done.
            Ok((result, _turn)) => result,
            Err(failed) => Err(self.connect_error(io::Error::other(failed))),
        }
    }

    async fn open(&self, lane: usize) -> Result<Arc<Connection>> {
        let place = &self.lanes[lane];
        let result = self.reach().await;
        let failure = result.as_ref().err().map(|error| (error.kind(), error.to_string()));
        place.last_dial().note(failure);
        let duplex = match result {
            Ok(duplex) => duplex,
            Err(source) => return Err(self.unreachable(source)),
        };
        self.health.reached();
        // Before its end can be heard of.
        for interceptor in &self.settings.interceptors.0 {
            interceptor.connected(&self.address);
        }
        let settings = Arc::clone(&self.settings);
        let connection =
            Connection::open(duplex, self.address.clone(), settings, Arc::clone(&self.health));
        place.current.store(Some(Arc::clone(&connection)));
        Ok(connection)
    }

    /// Connects, and does the handshake if the client speaks TLS.
    async fn reach(&self) -> io::Result<Duplex> {
        let settings = &self.settings;
        let deadline = Instant::now().checked_add(settings.connect_timeout);
        let mut connected = false;
        let reach = async {
            let duplex = settings.connector().connect(&self.address).await?;
            connected = true;
            secure(duplex, &self.address, settings, deadline).await
        };
        let result = tokio::time::timeout(settings.connect_timeout, reach).await;
        result.unwrap_or_else(|_| {
            let what = if connected { "the TLS handshake was not over" } else { "no connection" };
            let text = format!("{what} within {:?}", settings.connect_timeout);
            Err(io::Error::new(io::ErrorKind::TimedOut, text))
        })
    }

    fn unreachable(&self, source: io::Error) -> Error {
        self.health.failed(Failure::Dial);
        if let Some(circuit) = &self.circuit {
            circuit.dial_failed();
        }
        let error = self.connect_error(source);
        for interceptor in &self.settings.interceptors.0 {
            interceptor.connect_failed(&self.address, &error);
        }
        error
    }

    fn connect_error(&self, source: io::Error) -> Error {
        Error::Connect { address: self.address.clone(), source }
    }
}

impl LastDial {
    fn note(&mut self, failure: Option<(io::ErrorKind, String)>) {
        *self = Self { number: self.number.wrapping_add(1), failure };
    }
}

impl Lane {
    fn last_dial(&self) -> MutexGuard<'_, LastDial> {
        self.last_dial.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        for lane in &self.lanes {
            if let Some(connection) = lane.current.swap(None) {
                connection.lose(Loss::Closed);
            }
        }
    }
}
