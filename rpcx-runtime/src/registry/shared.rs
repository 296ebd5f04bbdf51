//! Registries made of what an attribute or the environment says, each opened once.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use std::time::Duration;

use super::open::opener;
use super::tls_files::TlsFiles;
use super::{Registry, SettingsError, environment};
use crate::registry_info::RegistryInfo;

/// What is said about a registry, by whatever means.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct RegistryOptions {
    pub(crate) name: String,
    pub(crate) base_path: Option<String>,
    pub(crate) servers: Vec<String>,
    pub(crate) update_interval: Option<Duration>,
    pub(crate) session_ttl: Option<Duration>,
    pub(crate) metrics: bool,
    pub(crate) layout: String,
    /// Said by the environment alone: a path of the machine is not for the source.
    pub(crate) tls: Option<TlsFiles>,
}

/// Gives the registry that an attribute names, as the environment changes it.
pub(crate) fn of(info: &RegistryInfo) -> Result<Arc<dyn Registry>, SettingsError> {
    let mut options = RegistryOptions {
        name: info.name().to_owned(),
        base_path: info.given_base_path().map(str::to_owned),
        servers: info.given_servers().iter().map(|&server| server.to_owned()).collect(),
        update_interval: info.given_update_interval(),
        session_ttl: info.given_session_ttl(),
        metrics: info.wants_metrics(),
        layout: info.given_layout().to_owned(),
        tls: None,
    };
    environment::adjust(&mut options)?;
    open(options)
}

/// Gives the registry of these options: services that say the same share one, and its connection.
pub(crate) fn open(options: RegistryOptions) -> Result<Arc<dyn Registry>, SettingsError> {
    static OPEN: LazyLock<Mutex<HashMap<RegistryOptions, Weak<dyn Registry>>>> =
        LazyLock::new(Mutex::default);
    let mut known = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(registry) = known.get(&options).and_then(Weak::upgrade) {
        return Ok(registry);
    }
    let registry = opener(&options.name)?(&options)?;
    known.retain(|_, registry| registry.strong_count() > 0);
    known.insert(options, Arc::downgrade(&registry));
    Ok(registry)
}
