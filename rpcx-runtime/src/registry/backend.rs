//! What the supervisor needs of a registry that is a server of its own.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::time::Duration;

use super::settings::{Settings, SettingsError};
use crate::address::Address;
use crate::instance::Instance;

/// What went wrong at a registry, in its own words.
///
/// One that is a [`SettingsError`] is final: no further try can help, and the entries are refused.
pub(crate) type BackendError = Box<dyn Error + Send + Sync>;

/// A registry that is a server of its own.
///
/// A backend only knows how to do each thing once. Doing it again after a failure, keeping time and
/// telling the user is the supervisor's.
pub(crate) trait Backend: fmt::Debug + Send + Sync + 'static {
    type Connection: Connection;

    /// The registry's name in messages: `etcd`.
    const NAME: &'static str;

    fn settings(&self) -> &Settings;

    /// Gives how long an entry lives without a sign of life.
    fn ttl(&self) -> Result<Duration, SettingsError>;

    /// Connects; the supervisor bounds the time.
    fn connect(&self) -> impl Future<Output = Result<Self::Connection, BackendError>> + Send;
}

/// A connection to a registry; several tasks use it at once.
pub(crate) trait Connection: Send + Sync + 'static {
    type Lease: Lease;

    /// Begins a lease (etcd), a session (Consul) or uses the connection's own (ZooKeeper): what
    /// entries hang on, so that they go when this process dies.
    fn lease(&self) -> impl Future<Output = Result<Self::Lease, BackendError>> + Send;

    /// Lists the servers of a service, hands the list to `publish`, and does so again at every
    /// change, until something goes wrong. The list is always whole.
    fn watch(
        &self,
        service: &str,
        publish: impl FnMut(Vec<Instance>) + Send,
    ) -> impl Future<Output = BackendError> + Send;
}

/// What the entries of this process hang on.
pub(crate) trait Lease: Send + Sync + 'static {
    /// Gives how long entries live without a sign of life, where the registry had a say in that.
    fn ttl(&self) -> Option<Duration> {
        None
    }

    /// Writes an entry. One that an earlier life of this process left is taken over without a moment
    /// in which watchers see none.
    fn put(
        &self,
        service: &str,
        address: &Address,
        value: &str,
    ) -> impl Future<Output = Result<(), BackendError>> + Send;

    /// Changes an entry's value by compare-and-set: `change` gets what is stored, which an operator
    /// may have edited, or `None` if the entry is gone; it gives what to store.
    fn update(
        &self,
        service: &str,
        address: &Address,
        change: impl Fn(Option<&str>) -> String + Send + Sync,
    ) -> impl Future<Output = Result<(), BackendError>> + Send;

    /// Reads an entry's value, whoever wrote it. Asked before an entry of this process is put again,
    /// so that what an operator changed meanwhile stays; none where that cannot be read.
    fn stored(
        &self,
        _service: &str,
        _address: &Address,
    ) -> impl Future<Output = Result<Option<String>, BackendError>> + Send {
        std::future::ready(Ok(None))
    }

    /// Takes an entry out.
    fn remove(
        &self,
        service: &str,
        address: &Address,
    ) -> impl Future<Output = Result<(), BackendError>> + Send;

    /// Gives the registry one sign of life; an error if the lease is gone.
    fn keep_alive(&self) -> impl Future<Output = Result<(), BackendError>> + Send;

    /// Waits until the lease is seen to be gone, without asking; for ever where that cannot be seen.
    /// Cancelled at every other event.
    fn lost(&self) -> impl Future<Output = BackendError> + Send {
        std::future::pending()
    }

    /// Gives the lease back.
    fn end(self) -> impl Future<Output = ()> + Send;
}
