//! What happened, in order.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What happened, in order; all who take part share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace {
    events: Arc<Mutex<Vec<String>>>,
}

impl Trace {
    pub(crate) fn note(&self, at: Duration, what: impl AsRef<str>) {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.push(format!("{:>6} {}", at.as_millis(), what.as_ref()));
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.events.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Gives the simulation's time; outside of a host it is zero.
pub(crate) fn now() -> Duration {
    turmoil::sim_elapsed().unwrap_or_default()
}
