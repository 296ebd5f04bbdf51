//! What the entries of this process hang on, in each layout.

use std::sync::Arc;
use std::time::Duration;

use super::backend::Memory;
use super::entries::KeyEntries;
use super::guard::Guard;
use super::native::NativeServices;
use crate::address::Address;
use crate::registry::backend::{BackendError, Lease};

/// A session, health checks, or both.
#[derive(Debug)]
pub(super) struct ConsulLease {
    memory: Arc<Memory>,
    keys: Option<KeyEntries>,
    services: Option<NativeServices>,
    guard: Guard,
    ttl: Duration,
}

impl ConsulLease {
    pub(super) fn new(
        memory: Arc<Memory>,
        keys: Option<KeyEntries>,
        services: Option<NativeServices>,
        guard: Guard,
        ttl: Duration,
    ) -> Self {
        Self { memory, keys, services, guard, ttl }
    }
}

impl Lease for ConsulLease {
    fn ttl(&self) -> Option<Duration> {
        Some(self.ttl)
    }

    async fn put(&self, service: &str, address: &Address, value: &str) -> Result<(), BackendError> {
        if let Some(keys) = &self.keys {
            keys.put(service, address, value).await?;
        }
        if let Some(services) = &self.services {
            services.put(service, address, value).await?;
        }
        Ok(())
    }

    async fn update(
        &self,
        service: &str,
        address: &Address,
        change: impl Fn(Option<&str>) -> String + Send + Sync,
    ) -> Result<(), BackendError> {
        let Some(keys) = &self.keys else {
            return match &self.services {
                Some(services) => services.update(service, address, &change).await,
                None => Ok(()),
            };
        };
        let value = keys.update(service, address, &change).await?;
        match (&self.services, value) {
            // With both, the key is what operators edit, and the service follows.
            (Some(services), Some(value)) => {
                services.update(service, address, &|_| value.clone()).await
            }
            _ => Ok(()),
        }
    }

    async fn stored(
        &self,
        service: &str,
        address: &Address,
    ) -> Result<Option<String>, BackendError> {
        match (&self.keys, &self.services) {
            (Some(keys), _) => keys.stored(service, address).await,
            (None, Some(services)) => Ok(services.stored(service, address).await?),
            (None, None) => Ok(None),
        }
    }

    async fn remove(&self, service: &str, address: &Address) -> Result<(), BackendError> {
        if let Some(keys) = &self.keys {
            keys.remove(service, address).await?;
        }
        if let Some(services) = &self.services {
            services.remove(service, address).await?;
        }
        Ok(())
    }

    async fn keep_alive(&self) -> Result<(), BackendError> {
        if let Some(keys) = &self.keys {
            keys.session().renew().await?;
        }
        if let Some(services) = &self.services {
            services.keep_alive().await?;
        }
        Ok(())
    }

    async fn lost(&self) -> BackendError {
        self.guard.lost().await
    }

    /// Gives the session back. Services are gone by now, each with its entry.
    async fn end(self) {
        self.memory.keep_session(None);
        if let Some(keys) = &self.keys
            && let Err(error) = keys.session().destroy().await
        {
            tracing::debug!(%error, "the session is left to end by itself");
        }
    }
}
