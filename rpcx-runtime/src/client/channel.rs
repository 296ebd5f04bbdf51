//! The way to the servers of a service, and what a generated client is.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use super::budget::Budget;
use super::builder::ClientBuilder;
use super::cluster::Cluster;
use super::settings::ChannelSettings;
use super::status::ServerStatus;
use crate::address::Address;
use crate::error::Result;
use crate::service_info::ServiceInfo;

/// What every generated client can do; in the prelude.
///
/// Generated clients also have these as functions of their own, unless the service has a method
/// of that name: `ArithClient::connect_to("tcp@localhost:8972")`.
pub trait Client: Sized + Send {
    /// Makes a client on a channel; several clients may share one.
    fn from_channel(channel: Channel) -> Self;

    /// Gives the client's channel.
    fn channel(&self) -> &Channel;

    /// Gives what the trait says about the service; a bare channel has none.
    fn service_info() -> Option<&'static ServiceInfo>;

    /// Connects to one server: `tcp@host:port`, `unix@path`, or `memory@name`.
    ///
    /// # Errors
    ///
    /// [`Error::Address`](crate::Error::Address) if the text is no address,
    /// [`Error::Connect`](crate::Error::Connect) if there is no connection within a second.
    fn connect_to(address: &str) -> impl Future<Output = Result<Self>> + Send {
        Self::builder().connect_to(address)
    }

    /// Finds the servers of the service in its registry: the one that the service's attribute names,
    /// or the environment's `RPCX_REGISTRY`.
    ///
    /// It waits at most a second for the registry's first answer. A registry that cannot be reached
    /// is no error: it is tried again and again, and until it answers calls fail with
    /// [`Error::NoServer`](crate::Error::NoServer).
    ///
    /// # Errors
    ///
    /// [`Error::NoServer`](crate::Error::NoServer) if the service has no registry, or one with wrong settings.
    fn connect() -> impl Future<Output = Result<Self>> + Send {
        Self::builder().connect()
    }

    /// Starts from the defaults, to change some of them.
    fn builder() -> ClientBuilder<Self> {
        ClientBuilder::new()
    }
}

impl Client for Channel {
    fn from_channel(channel: Channel) -> Self {
        channel
    }

    fn channel(&self) -> &Channel {
        self
    }

    fn service_info() -> Option<&'static ServiceInfo> {
        None
    }
}

/// The way to the servers of a service: connections that all clones share. What Go calls an `XClient`.
///
/// There is one connection a server, unless the builder was told otherwise, opened by the first call
/// that chooses it; one that is lost is opened again by the next call. Connections are closed when the last clone, and the last call, is
/// dropped. They live on tasks of the tokio runtime in which they were opened; if that runtime shuts
/// down they are lost, and the next call opens others.
#[doc(alias = "XClient")]
#[derive(Clone)]
pub struct Channel {
    inner: Arc<Inner>,
}

struct Inner {
    cluster: Cluster,
    budget: Budget,
    settings: Arc<ChannelSettings>,
}

impl Channel {
    pub(super) fn new(cluster: Cluster, settings: Arc<ChannelSettings>) -> Self {
        let budget = Budget::new(settings.retry_budget);
        Self { inner: Arc::new(Inner { cluster, budget, settings }) }
    }

    /// Lists the servers that are in use now: those that the registry names and the filters let
    /// through, or the one that was connected to.
    pub fn servers(&self) -> Vec<Address> {
        self.inner.cluster.addresses()
    }

    /// Tells how each of the servers in use has been doing.
    pub fn status(&self) -> Vec<ServerStatus> {
        let servers = self.inner.cluster.all().unwrap_or_default();
        servers.iter().map(ServerStatus::of).collect()
    }

    pub(super) fn cluster(&self) -> &Cluster {
        &self.inner.cluster
    }

    pub(super) fn budget(&self) -> &Budget {
        &self.inner.budget
    }

    pub(super) fn settings(&self) -> &ChannelSettings {
        &self.inner.settings
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("servers", &self.servers()).finish_non_exhaustive()
    }
}
