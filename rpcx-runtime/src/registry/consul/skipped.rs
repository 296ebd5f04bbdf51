//! What stands in a registry and is no server: left out, and told once.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use super::backend::NAME;
use crate::instance::{Instance, InstanceMetadata};

/// What was left out of lists so far.
#[derive(Debug, Default)]
pub(super) struct Skipped {
    told: Mutex<HashSet<String>>,
}

impl Skipped {
    /// Reads a server's address and metadata; tells once of each text that is no address.
    pub(super) fn read(&self, address: &str, query: &str) -> Option<Instance> {
        match address.parse() {
            Ok(address) => {
                Some(Instance::new(address).with_metadata(InstanceMetadata::parse(query)))
            }
            Err(error) => {
                let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
                if told.len() < MOST_TOLD && told.insert(address.to_owned()) {
                    tracing::warn!(registry = NAME, %error, "an entry is left out");
                }
                None
            }
        }
    }
}

const MOST_TOLD: usize = 1024;
