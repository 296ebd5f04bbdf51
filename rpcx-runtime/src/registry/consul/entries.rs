//! The keys of this process's servers, held by its session.

use std::time::Duration;

use super::api::{Api, ApiError};
use super::entry::Store;
use super::session::Session;
use crate::address::Address;
use crate::registry::backend::BackendError;

/// The keys of this process's servers.
#[derive(Debug)]
pub(super) struct KeyEntries {
    store: Store,
    base: String,
    session: Session,
}

/// Gives what the keys of a service's servers begin with.
pub(super) fn directory(base: &str, service: &str) -> String {
    format!("{base}/{service}/")
}

impl KeyEntries {
    pub(super) fn new(api: Api, base: String, session: Session) -> Self {
        Self { store: Store::new(api), base, session }
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    fn key(&self, service: &str, address: &Address) -> String {
        format!("{}{address}", directory(&self.base, service))
    }

    /// Writes an entry. One that another session holds is taken over: released, which leaves it
    /// there, then acquired. That session ends by itself; ending it here would take those of its
    /// keys along that are not taken over yet.
    pub(super) async fn put(
        &self,
        service: &str,
        address: &Address,
        value: &str,
    ) -> Result<(), BackendError> {
        self.put_parents(service).await?;
        let key = self.key(service, address);
        for _ in 0..TRIES {
            if self.store.acquire(&key, value, self.session.id()).await? {
                return Ok(());
            }
            let entry = self.store.read(&key).await?;
            match entry.as_ref().and_then(|entry| entry.session()) {
                Some(holder) => {
                    self.store.release(&key, value, holder).await?;
                }
                // The key was set free by an end, not by a release: the lock delay.
                None => tokio::time::sleep(LOCK_DELAY).await,
            }
        }
        Err(contested(&key))
    }

    /// Writes the keys above, which Go's clients do not read; a token may not be allowed to.
    async fn put_parents(&self, service: &str) -> Result<(), ApiError> {
        let of_service = format!("{}/{service}", self.base);
        for (key, value) in [(&self.base, "rpcx_path"), (&of_service, service)] {
            match self.store.replace(key, value, 0).await {
                Err(error) if error.refusal().is_some() => {
                    tracing::debug!(%error, key, "a parent key is not written");
                }
                result => _ = result?,
            }
        }
        Ok(())
    }

    /// Changes an entry's value; gives it, or `None` if another process has taken the entry over.
    pub(super) async fn update(
        &self,
        service: &str,
        address: &Address,
        change: &(impl Fn(Option<&str>) -> String + Sync),
    ) -> Result<Option<String>, BackendError> {
        let key = self.key(service, address);
        let session = self.session.id();
        for _ in 0..TRIES {
            let Some(entry) = self.store.read(&key).await? else {
                let value = change(None);
                self.put(service, address, &value).await?;
                return Ok(Some(value));
            };
            let stored = entry.value();
            let value = change(Some(&stored));
            let done = match entry.session() {
                Some(holder) if holder != session => return Ok(None),
                // Without a write no watcher wakes up.
                Some(_) if value == stored => true,
                Some(_) => self.store.replace(&key, &value, entry.modify_index()).await?,
                None => self.store.acquire(&key, &value, session).await?,
            };
            if done {
                return Ok(Some(value));
            }
        }
        Err(contested(&key))
    }

    /// Reads an entry's value, whoever holds it.
    pub(super) async fn stored(
        &self,
        service: &str,
        address: &Address,
    ) -> Result<Option<String>, BackendError> {
        let entry = self.store.read(&self.key(service, address)).await?;
        Ok(entry.map(|entry| entry.value()))
    }

    /// Takes an entry out, unless another process has taken it over.
    pub(super) async fn remove(
        &self,
        service: &str,
        address: &Address,
    ) -> Result<(), BackendError> {
        let key = self.key(service, address);
        for _ in 0..TRIES {
            let Some(entry) = self.store.read(&key).await? else { return Ok(()) };
            let foreign = entry.session().is_some_and(|holder| holder != self.session.id());
            if foreign || self.store.delete(&key, entry.modify_index()).await? {
                return Ok(());
            }
        }
        Err(contested(&key))
    }
}

fn contested(key: &str) -> BackendError {
    format!("the key `{key}` is changed by others again and again").into()
}

const TRIES: usize = 10;
/// Somewhat longer than the lock delay of sessions, 1 ms.
const LOCK_DELAY: Duration = Duration::from_millis(5);
