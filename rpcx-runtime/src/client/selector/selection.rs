//! What a selector knows about the call.

use std::cell::Cell;
use std::fmt;

/// What a selector knows about the call that it chooses a server for.
pub struct Selection<'a> {
    service: &'a str,
    method: &'a str,
    source: Option<&'a dyn KeySource>,
    key: Cell<Option<u64>>,
}

/// Gives the key of a call when a selector asks for it.
pub(in crate::client) trait KeySource {
    /// Works the key out.
    fn key(&self) -> u64;
}

impl<'a> Selection<'a> {
    /// Makes a selection whose key is that of its names: for tests of selectors.
    pub const fn new(service: &'a str, method: &'a str) -> Self {
        Self { service, method, source: None, key: Cell::new(None) }
    }

    /// Sets the key.
    #[must_use]
    pub fn with_key(self, key: u64) -> Self {
        self.key.set(Some(key));
        self
    }

    pub(in crate::client) fn of(
        service: &'a str,
        method: &'a str,
        source: &'a dyn KeySource,
    ) -> Self {
        Self { source: Some(source), ..Self::new(service, method) }
    }

    /// Gives the wire name of the service.
    pub const fn service(&self) -> &'a str {
        self.service
    }

    /// Gives the wire name of the method.
    pub const fn method(&self) -> &'a str {
        self.method
    }

    /// Gives the key of the call: calls with the same key belong together.
    ///
    /// It is what the call's `hash_key` was given, or else the argument that is marked
    /// `#[rpcx(hash_key)]`, or else service, method and all arguments. It is the same in every
    /// process.
    pub fn key(&self) -> u64 {
        if let Some(key) = self.key.get() {
            return key;
        }
        let names = || super::consistent_hash::key_of_parts(&[self.service, self.method]);
        let key = self.source.map_or_else(names, KeySource::key);
        self.key.set(Some(key));
        key
    }
}

impl fmt::Debug for Selection<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Selection")
            .field("service", &self.service)
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}
