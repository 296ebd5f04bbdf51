//! What the user may set.

use std::time::Duration;

use crate::registry::SettingsError;

/// What the user may set.
#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) update_interval: Duration,
    pub(super) metrics: bool,
    pub(super) watch_interval: Duration,
    pub(super) timeout: Duration,
    pub(super) go_compatible: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            update_interval: Duration::from_secs(60),
            metrics: true,
            watch_interval: Duration::from_secs(2),
            timeout: Duration::from_secs(2),
            go_compatible: true,
        }
    }
}

impl Options {
    /// Checks that no time is zero.
    pub(super) fn check(&self) -> Result<(), SettingsError> {
        let times = [
            ("update_interval", self.update_interval),
            ("watch_interval", self.watch_interval),
            ("timeout", self.timeout),
        ];
        match times.into_iter().find(|(_, time)| time.is_zero()) {
            Some((name, _)) => Err(SettingsError(format!("{name} is zero"))),
            None => Ok(()),
        }
    }

    /// Gives how long a server is believed in after a sign of life.
    pub(super) fn patience(&self) -> Duration {
        self.watch_interval.saturating_add(self.timeout)
    }
}
