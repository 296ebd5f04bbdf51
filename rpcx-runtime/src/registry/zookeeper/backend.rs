//! ZooKeeper as the supervisor sees it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::connection::ZooKeeperConnection;
use super::layout::Layout;
use super::listing::Skipped;
use super::options::ZooKeeperOptions;
use super::session::Session;
use crate::registry::SettingsError;
use crate::registry::backend::{Backend, BackendError};
use crate::registry::settings::Settings;

/// ZooKeeper as the supervisor sees it.
#[derive(Debug)]
pub(super) struct ZooKeeperBackend {
    options: ZooKeeperOptions,
    /// It was said that the session's time is not what was asked for.
    adjusted: AtomicBool,
    skipped: Arc<Skipped>,
}

impl ZooKeeperBackend {
    pub(super) fn new(options: ZooKeeperOptions) -> Self {
        Self { options, adjusted: AtomicBool::new(false), skipped: Arc::default() }
    }

    pub(super) fn options(&self) -> &ZooKeeperOptions {
        &self.options
    }

    fn layout(&self) -> Result<Layout, SettingsError> {
        self.options.check()?;
        Layout::new(&self.options.settings.base_path)
    }

    /// Compares the session's time with what was asked for; an error if the user asked for it.
    fn check_granted(&self, asked: Duration, granted: Duration) -> Result<(), SettingsError> {
        if asked.as_millis() == granted.as_millis() {
            return Ok(());
        }
        if self.options.settings.session_ttl.is_some() {
            let bound = if asked < granted { "less" } else { "more" };
            return Err(SettingsError(format!(
                "session_ttl is {asked:?}, this ZooKeeper allows no {bound} than {granted:?}"
            )));
        }
        if !self.adjusted.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                registry = Self::NAME,
                "an entry lives {granted:?} without a sign of life: \
                 this ZooKeeper does not allow {asked:?}",
            );
        }
        Ok(())
    }
}

impl Backend for ZooKeeperBackend {
    type Connection = ZooKeeperConnection;

    const NAME: &'static str = "zookeeper";

    fn settings(&self) -> &Settings {
        &self.options.settings
    }

    fn ttl(&self) -> Result<Duration, SettingsError> {
        self.layout()?;
        // The server's bounds are known only when it has granted a session.
        self.options.settings.ttl(Self::NAME, Duration::ZERO)
    }

    async fn connect(&self) -> Result<ZooKeeperConnection, BackendError> {
        let layout = self.layout()?;
        let asked = self.options.settings.ttl(Self::NAME, Duration::ZERO)?;
        let session = Session::open(&self.options, asked).await?;
        let allowed = self.check_granted(asked, session.ttl());
        let acls = self.options.acls();
        Ok(ZooKeeperConnection::new(session, layout, acls, allowed, Arc::clone(&self.skipped)))
    }
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;
    use crate::registry::events::Events;

    const SECOND: Duration = Duration::from_secs(1);

    fn backend(change: impl FnOnce(&mut Settings)) -> ZooKeeperBackend {
        let mut settings = Settings::new(["127.0.0.1:2181"]);
        change(&mut settings);
        ZooKeeperBackend::new(ZooKeeperOptions::new(settings))
    }

    #[test]
    fn a_session_lives_as_long_as_in_go() {
        assert_eq!(backend(|_| ()).ttl(), Ok(10 * SECOND));
        assert_eq!(backend(|settings| settings.update_interval = SECOND).ttl(), Ok(2 * SECOND));
    }

    #[test]
    fn what_was_asked_for_and_not_granted_is_refused() {
        let asked = backend(|settings| settings.session_ttl = Some(SECOND));
        assert_eq!(asked.check_granted(SECOND, SECOND), Ok(()));
        assert_eq!(
            asked.check_granted(SECOND, 4 * SECOND).unwrap_err().to_string(),
            "session_ttl is 1s, this ZooKeeper allows no less than 4s",
        );
        assert_eq!(
            asked.check_granted(60 * SECOND, 40 * SECOND).unwrap_err().to_string(),
            "session_ttl is 60s, this ZooKeeper allows no more than 40s",
        );
        assert_eq!(backend(|_| ()).check_granted(SECOND, 4 * SECOND), Ok(()));
    }

    #[test]
    fn a_time_to_live_that_was_not_granted_is_warned_of_once() {
        let backend = backend(|settings| settings.update_interval = SECOND);
        let events = Events::of_this_thread();
        for _ in 0..3 {
            assert_eq!(backend.check_granted(2 * SECOND, 4 * SECOND), Ok(()));
        }
        assert_eq!(
            events.take(Level::WARN),
            ["an entry lives 4s without a sign of life: this ZooKeeper does not allow 2s"],
        );
    }

    #[test]
    fn settings_without_sense_are_refused() {
        for (backend, problem) in [
            (backend(|settings| settings.servers.clear()), "no ZooKeeper server is given"),
            (backend(|settings| settings.base_path.clear()), "the base path is empty"),
        ] {
            assert_eq!(backend.ttl().unwrap_err().to_string(), problem);
        }
    }
}
