//! The servers that a client knows, whatever service it knows them for.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::endpoint::Endpoint;
use super::health::Trouble;
use super::settings::ChannelSettings;
use crate::address::Address;

/// The servers that a client knows: those of one channel, or of all channels of a
/// [`OneClient`](super::OneClient), which so have one set of connections.
pub(super) struct Pool {
    endpoints: Mutex<HashMap<Address, Weak<Endpoint>>>,
    /// Counts the servers that are in trouble.
    trouble: Trouble,
}

impl Pool {
    pub(super) fn new() -> Self {
        Self { endpoints: Mutex::default(), trouble: Trouble::default() }
    }

    /// Tells whether some server is in trouble: otherwise none needs a closer look.
    pub(super) fn has_trouble(&self) -> bool {
        self.trouble.any()
    }

    /// Gives the way to each of these servers, the known one if there is one.
    pub(super) fn endpoints<'a>(
        &self,
        addresses: impl Iterator<Item = &'a Address>,
        settings: &Arc<ChannelSettings>,
    ) -> Vec<Arc<Endpoint>> {
        let mut known = self.endpoints.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, endpoint| endpoint.strong_count() > 0);
        let endpoints = addresses.map(|address| {
            if let Some(endpoint) = known.get(address).and_then(Weak::upgrade) {
                return endpoint;
            }
            let settings = Arc::clone(settings);
            let trouble = self.trouble.clone();
            let endpoint = Arc::new(Endpoint::new(address.clone(), settings, trouble));
            known.insert(address.clone(), Arc::downgrade(&endpoint));
            endpoint
        });
        endpoints.collect()
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}
