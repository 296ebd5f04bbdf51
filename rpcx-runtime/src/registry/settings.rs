//! What the registries that are servers of their own have in common: where, under which name, and
//! how long an entry may go without a sign of life.

use std::fmt;
use std::time::Duration;

/// Settings that several registries have.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// `host:port`, several for one cluster.
    pub(crate) servers: Vec<String>,
    /// As the user gave it; each registry has its own form of it.
    pub(crate) base_path: String,
    /// How often `calls` and `connections` are written into the entry.
    pub(crate) update_interval: Duration,
    /// How long an entry lives without a sign of life, if the user said.
    pub(crate) session_ttl: Option<Duration>,
    /// Whether `calls` and `connections` are written at all.
    pub(crate) metrics: bool,
}

impl Settings {
    /// Starts from the defaults, with the registry's usual local port.
    pub(crate) fn new<T: Into<String>>(servers: impl IntoIterator<Item = T>) -> Self {
        Self {
            servers: servers.into_iter().map(Into::into).collect(),
            base_path: "/rpcx".to_owned(),
            update_interval: Duration::from_secs(60),
            session_ttl: None,
            metrics: true,
        }
    }

    /// Gives how long an entry lives without a sign of life: what the user said, or 10 s, or twice
    /// the update interval if that is less; never less than the registry's own `floor`.
    ///
    /// It is asked often. That the floor raises what the user did not say is for the caller to tell,
    /// once.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] if the user said less than the floor, or an update interval of zero.
    pub(crate) fn ttl(&self, registry: &str, floor: Duration) -> Result<Duration, SettingsError> {
        if self.update_interval.is_zero() {
            return Err(SettingsError("update_interval is zero".to_owned()));
        }
        let Some(asked) = self.session_ttl else {
            return Ok(self.implicit_ttl().max(floor));
        };
        if asked < floor {
            return Err(SettingsError(format!(
                "session_ttl is {asked:?}, {registry} allows no less than {floor:?}"
            )));
        }
        Ok(asked)
    }

    /// Tells whether the registry's `floor` raises what the user did not say.
    pub(crate) fn is_raised_by(&self, floor: Duration) -> bool {
        self.session_ttl.is_none() && self.implicit_ttl() < floor
    }

    fn implicit_ttl(&self) -> Duration {
        LONGEST_IMPLICIT_TTL.min(self.update_interval.saturating_mul(2))
    }
}

/// Checks a service's name for use as a part of a key.
///
/// # Errors
///
/// [`SettingsError`] if it is empty or has a `/`.
pub(crate) fn check_service(service: &str) -> Result<(), SettingsError> {
    if service.is_empty() {
        return Err(SettingsError("the service has no name".to_owned()));
    }
    if service.contains('/') {
        return Err(SettingsError(format!("the service name `{service}` has a `/`")));
    }
    Ok(())
}

/// Settings that a registry cannot work with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SettingsError(pub(crate) String);

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SettingsError {}

const LONGEST_IMPLICIT_TTL: Duration = Duration::from_secs(10);
