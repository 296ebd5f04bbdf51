//! What keeps entries and lists right although the registry comes and goes: one for all backends.
//!
//! Two kinds of loops, both the same shape: connect, do the work until something goes wrong, wait a
//! little, start again, for ever. [`registering`] keeps the entries of this process alive;
//! [`following`] keeps the list of a service current. All loops of one registry share one connection.

mod following;
mod registering;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use self::following::Following;
use self::registering::Entries;
use super::backend::{Backend, BackendError};
use super::{Announcement, Discover, Register, Registration, Snapshot};

/// A registry whose backend is kept going. Clones share everything.
pub(crate) struct Supervisor<B: Backend> {
    shared: Arc<Shared<B>>,
}

struct Shared<B: Backend> {
    backend: B,
    connection: tokio::sync::Mutex<Option<Arc<B::Connection>>>,
    entries: Entries,
    following: Following,
}

impl<B: Backend> Supervisor<B> {
    pub(crate) fn new(backend: B) -> Self {
        let shared = Shared {
            backend,
            connection: tokio::sync::Mutex::default(),
            entries: Entries::default(),
            following: Following::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Gives what was made into this supervisor.
    pub(crate) fn backend(&self) -> &B {
        &self.shared.backend
    }
}

impl<B: Backend> Shared<B> {
    /// Gives the connection that all loops share, and opens it if there is none.
    async fn connection(&self) -> Result<Arc<B::Connection>, BackendError> {
        let mut current = self.connection.lock().await;
        if let Some(connection) = &*current {
            return Ok(Arc::clone(connection));
        }
        let connection = Arc::new(within(CONNECT, self.backend.connect()).await?);
        *current = Some(Arc::clone(&connection));
        Ok(connection)
    }

    /// Gives a connection up that failed; the next loop that needs one opens another.
    async fn discard(&self, failed: &Arc<B::Connection>) {
        let mut current = self.connection.lock().await;
        if current.as_ref().is_some_and(|current| Arc::ptr_eq(current, failed)) {
            *current = None;
        }
    }
}

/// Bounds one request to a registry.
async fn within<T>(
    time: Duration,
    request: impl Future<Output = Result<T, BackendError>>,
) -> Result<T, BackendError> {
    match tokio::time::timeout(time, request).await {
        Ok(result) => result,
        Err(_) => Err(format!("no answer within {time:?}").into()),
    }
}

impl<B: Backend> Discover for Supervisor<B> {
    fn discover(&self, service: &str) -> watch::Receiver<Snapshot> {
        following::follow(&self.shared, service)
    }
}

impl<B: Backend> Register for Supervisor<B> {
    fn register(&self, service: &str, announcement: Announcement) -> Registration {
        registering::register(&self.shared, service, announcement)
    }
}

impl<B: Backend> Clone for Supervisor<B> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<B: Backend> fmt::Debug for Supervisor<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.backend.fmt(f)
    }
}

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long any other request may take.
const REQUEST: Duration = Duration::from_secs(3);
