//! What a builder was told.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::breaker::Breaker;
use super::budget::RetryBudget;
use super::health::Ejection;
use super::heartbeat::Heartbeats;
use super::interceptor::Interceptors;
use super::push::PushHandler;
use crate::governance::Governance;
use crate::instance::Instance;
use crate::outlet::MessageSettings;
use crate::protocol::{Compression, SerializeType};
use crate::service::contain_panic;
#[cfg(feature = "tls")]
use crate::tls::ClientTls;
use crate::transport::{Connector, NetworkConnector};

/// What a builder was told.
#[derive(Clone, Debug)]
pub(super) struct ChannelSettings {
    pub(super) messages: MessageSettings,
    pub(super) auth: Option<Token>,
    pub(super) heartbeat: Heartbeats,
    pub(super) idle_timeout: Option<Duration>,
    pub(super) connect_timeout: Duration,
    pub(super) connections_per_server: usize,
    pub(super) in_flight: usize,
    pub(super) on_push: Option<PushHandler>,
    pub(super) network: NetworkConnector,
    pub(super) connector: Option<Arc<dyn Connector>>,
    #[cfg(feature = "tls")]
    pub(super) tls: Option<ClientTls>,
    pub(super) timeout: Option<Duration>,
    pub(super) serialize_type: Option<SerializeType>,
    pub(super) compression: Option<Compression>,
    pub(super) service: Option<String>,
    pub(super) governance: Governance,
    pub(super) retry_budget: RetryBudget,
    pub(super) ejection: Option<Ejection>,
    pub(super) breaker: Option<Breaker>,
    pub(super) filter: Filter,
    /// The channel's selector wants to know how many of its calls are on their way to each server.
    pub(super) counts_pending: bool,
    /// Calls are counted.
    #[cfg(feature = "metrics")]
    pub(super) metrics: bool,
    pub(super) sticky: bool,
    pub(super) wait_for_server: Option<Duration>,
    pub(super) interceptors: Interceptors,
}

impl Default for ChannelSettings {
    fn default() -> Self {
        Self {
            messages: MessageSettings::default(),
            auth: None,
            heartbeat: Heartbeats::default(),
            idle_timeout: None,
            connect_timeout: Duration::from_secs(1),
            connections_per_server: 1,
            in_flight: 1024,
            on_push: None,
            network: NetworkConnector::new(),
            connector: None,
            #[cfg(feature = "tls")]
            tls: None,
            timeout: None,
            serialize_type: None,
            compression: None,
            service: None,
            governance: Governance::new(),
            retry_budget: RetryBudget::default(),
            ejection: Some(Ejection::default()),
            breaker: None,
            filter: Filter::default(),
            counts_pending: false,
            #[cfg(feature = "metrics")]
            metrics: false,
            sticky: false,
            wait_for_server: None,
            interceptors: Interceptors::default(),
        }
    }
}

impl ChannelSettings {
    /// Tells whether calls are counted.
    #[cfg(feature = "metrics")]
    pub(super) fn counts(&self) -> bool {
        self.metrics
    }

    /// Tells whether calls are counted: nothing is there to do that.
    #[cfg(not(feature = "metrics"))]
    #[expect(clippy::unused_self, reason = "with the feature, a builder says so")]
    pub(super) fn counts(&self) -> bool {
        false
    }

    pub(super) fn connector(&self) -> &dyn Connector {
        match &self.connector {
            Some(connector) => &**connector,
            None => &self.network,
        }
    }
}

/// A secret that does not show in `Debug`.
#[derive(Clone)]
pub(super) struct Token(pub(super) String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

/// Which of the servers in a registry may be called at all.
#[derive(Clone, Default)]
pub(super) struct Filter {
    pub(super) group: Option<String>,
    pub(super) own: Option<OwnFilter>,
}

/// A filter of the program's own.
type OwnFilter = Arc<dyn Fn(&Instance) -> bool + Send + Sync>;

impl Filter {
    pub(super) fn lets(&self, instance: &Instance) -> bool {
        let metadata = instance.metadata();
        let group = self.group.as_deref();
        group.is_none_or(|group| metadata.groups().any(|own| own == group))
            && !metadata.is_inactive()
            && self.own.as_ref().is_none_or(|own| lets(own, instance))
    }
}

/// Asks a filter; a panic, which would end the following of the registry, lets nobody through.
fn lets(own: &OwnFilter, instance: &Instance) -> bool {
    contain_panic(|| own(instance)).unwrap_or_else(|| {
        tracing::error!(address = %instance.address(), "the filter panicked: the server is not called");
        false
    })
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filter").field("group", &self.group).finish_non_exhaustive()
    }
}
