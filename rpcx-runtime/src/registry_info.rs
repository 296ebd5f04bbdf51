//! What a trait's attribute says about its registry.

use std::time::Duration;

use crate::instance::InstanceMetadata;

/// What `#[rpcx(registry = …)]` says; made by generated code.
#[derive(Clone, Copy, Debug)]
pub struct RegistryInfo {
    name: &'static str,
    base_path: Option<&'static str>,
    servers: &'static [&'static str],
    update_interval: Option<Duration>,
    session_ttl: Option<Duration>,
    metrics: bool,
    group: Option<&'static str>,
    weight: Option<u32>,
    layout: &'static str,
}

impl RegistryInfo {
    /// Starts from the registry's name.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            base_path: None,
            servers: &[],
            update_interval: None,
            session_ttl: None,
            metrics: true,
            group: None,
            weight: None,
            layout: "kv",
        }
    }

    /// Sets the namespace.
    #[must_use]
    pub const fn base_path(mut self, path: &'static str) -> Self {
        self.base_path = Some(path);
        self
    }

    /// Sets where the registry is.
    #[must_use]
    pub const fn servers(mut self, servers: &'static [&'static str]) -> Self {
        self.servers = servers;
        self
    }

    /// Sets how often the figures are written.
    #[must_use]
    pub const fn update_interval(mut self, interval: Duration) -> Self {
        self.update_interval = Some(interval);
        self
    }

    /// Sets how long an entry lives without a sign of life.
    #[must_use]
    pub const fn session_ttl(mut self, ttl: Duration) -> Self {
        self.session_ttl = Some(ttl);
        self
    }

    /// Sets whether the figures are written.
    #[must_use]
    pub const fn metrics(mut self, on: bool) -> Self {
        self.metrics = on;
        self
    }

    /// Sets the group of the servers.
    #[must_use]
    pub const fn group(mut self, group: &'static str) -> Self {
        self.group = Some(group);
        self
    }

    /// Sets the weight of the servers.
    #[must_use]
    pub const fn weight(mut self, weight: u32) -> Self {
        self.weight = Some(weight);
        self
    }

    /// Sets how servers are written into Consul.
    #[must_use]
    pub const fn layout(mut self, layout: &'static str) -> Self {
        self.layout = layout;
        self
    }

    /// Gives what servers of the service say of themselves.
    pub(crate) fn metadata(&self) -> InstanceMetadata {
        let mut metadata = InstanceMetadata::default();
        if let Some(weight) = self.weight {
            metadata.set("weight", weight.to_string());
        }
        if let Some(group) = self.group {
            metadata.set("group", group);
        }
        metadata
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn given_base_path(&self) -> Option<&'static str> {
        self.base_path
    }

    pub(crate) fn given_servers(&self) -> &'static [&'static str] {
        self.servers
    }

    pub(crate) fn given_update_interval(&self) -> Option<Duration> {
        self.update_interval
    }

    pub(crate) fn given_session_ttl(&self) -> Option<Duration> {
        self.session_ttl
    }

    pub(crate) fn wants_metrics(&self) -> bool {
        self.metrics
    }

    pub(crate) fn given_layout(&self) -> &'static str {
        self.layout
    }
}
