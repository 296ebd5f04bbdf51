//! Opens Consul, and remembers what outlives a connection.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::api::{self, Api};
use super::connection::ConsulConnection;
use super::options::ConsulOptions;
use super::skipped::Skipped;
use crate::registry::SettingsError;
use crate::registry::backend::{Backend, BackendError};
use crate::registry::settings::Settings;

/// Opens Consul.
#[derive(Debug)]
pub(super) struct ConsulBackend {
    memory: Arc<Memory>,
    /// Which endpoint is tried first.
    first: AtomicUsize,
}

/// What outlives a connection.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) options: ConsulOptions,
    pub(super) skipped: Skipped,
    learned: Mutex<Learned>,
}

#[derive(Debug, Default)]
struct Learned {
    /// The shortest session that Consul allows, once it said so.
    least_ttl: Duration,
    /// The session of the life before, which may still be there.
    session: Option<String>,
}

impl ConsulBackend {
    pub(super) fn new(options: ConsulOptions) -> Self {
        let learned = Mutex::default();
        let memory = Memory { options, skipped: Skipped::default(), learned };
        Self { memory: Arc::new(memory), first: AtomicUsize::new(0) }
    }

    pub(super) fn options(&self) -> &ConsulOptions {
        &self.memory.options
    }
}

impl Backend for ConsulBackend {
    type Connection = ConsulConnection;

    const NAME: &'static str = NAME;

    fn settings(&self) -> &Settings {
        &self.memory.options.settings
    }

    fn ttl(&self) -> Result<Duration, SettingsError> {
        self.memory.ttl()
    }

    /// Takes the first endpoint that answers, beginning with the one that answered last.
    async fn connect(&self) -> Result<ConsulConnection, BackendError> {
        let options = self.options();
        options.base()?;
        let endpoints = options.endpoints()?;
        let client = api::client(options)?;
        let first = self.first.load(Ordering::Relaxed);
        let mut problem: BackendError = "no endpoint was tried".into();
        for turn in first..first + endpoints.len() {
            let api = Api::new(client.clone(), endpoints[turn % endpoints.len()].clone());
            // Noted before the answer: the caller may give up while one is awaited.
            self.first.store((turn + 1) % endpoints.len(), Ordering::Relaxed);
            match api.check().await {
                Ok(()) => {
                    self.first.store(turn % endpoints.len(), Ordering::Relaxed);
                    return Ok(ConsulConnection::new(api, Arc::clone(&self.memory)));
                }
                Err(error) => problem = error.into(),
            }
        }
        Err(problem)
    }
}

impl Memory {
    fn learned(&self) -> MutexGuard<'_, Learned> {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives how long an entry lives without a sign of life, as far as is known what Consul allows.
    pub(super) fn ttl(&self) -> Result<Duration, SettingsError> {
        self.options.base()?;
        self.options.endpoints()?;
        self.options.settings.ttl(NAME, self.floor())
    }

    fn floor(&self) -> Duration {
        if self.options.writes_keys() { self.learned().least_ttl } else { SHORTEST_CHECK }
    }

    /// Notes the shortest session that Consul allows, and says so if that changes anything.
    pub(super) fn learn_floor(&self, least: Duration) {
        let mut learned = self.learned();
        if learned.least_ttl < least {
            learned.least_ttl = least;
            if self.options.settings.session_ttl.is_none() {
                tracing::warn!(
                    registry = NAME,
                    "an entry lives {least:?} to twice that without a sign of life: \
                     Consul allows no less",
                );
            }
        }
    }

    pub(super) fn session(&self) -> Option<String> {
        self.learned().session.clone()
    }

    pub(super) fn keep_session(&self, session: Option<String>) {
        self.learned().session = session;
    }
}

pub(super) const NAME: &str = "Consul";
/// The shortest TTL check, which leaves time for its three signs of life.
const SHORTEST_CHECK: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;
    use crate::registry::events::Events;

    #[test]
    fn a_time_to_live_that_is_raised_is_warned_of_once() {
        let mut settings = Settings::new(["127.0.0.1:8500"]);
        settings.update_interval = Duration::from_secs(1);
        let backend = ConsulBackend::new(ConsulOptions::new(settings));
        assert_eq!(backend.ttl(), Ok(Duration::from_secs(2)));
        let events = Events::of_this_thread();
        for _ in 0..3 {
            backend.memory.learn_floor(Duration::from_secs(10));
            assert_eq!(backend.ttl(), Ok(Duration::from_secs(10)));
        }
        assert_eq!(
            events.take(Level::WARN),
            ["an entry lives 10s to twice that without a sign of life: Consul allows no less"],
        );
    }
}
