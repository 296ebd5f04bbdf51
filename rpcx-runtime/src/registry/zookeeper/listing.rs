//! The servers of a service as their nodes say.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};

use zookeeper_client::Error;

use super::session::Session;
use crate::address::Address;
use crate::instance::{Instance, InstanceMetadata};

/// The servers of a service as their nodes say.
#[derive(Debug)]
pub(super) struct Listing<'a> {
    directory: &'a str,
    servers: BTreeMap<String, Instance>,
    skipped: &'a Skipped,
}

impl<'a> Listing<'a> {
    pub(super) fn new(directory: &'a str, skipped: &'a Skipped) -> Self {
        Self { directory, servers: BTreeMap::new(), skipped }
    }

    /// Reads all servers.
    pub(super) async fn read_all(&mut self, session: &Session) -> Result<(), Error> {
        let names = match session.client().list_children(self.directory).await {
            Err(Error::NoNode) => Vec::new(),
            names => names?,
        };
        self.servers.retain(|name, _| names.contains(name));
        self.read(session, names).await
    }

    /// Reads servers that came, changed or went.
    pub(super) async fn read(
        &mut self,
        session: &Session,
        names: impl IntoIterator<Item = String>,
    ) -> Result<(), Error> {
        let addresses = names.into_iter().filter_map(|name| match name.parse::<Address>() {
            Ok(address) => Some((name, address)),
            Err(error) => {
                self.skipped.note(self.directory, &name, &error);
                None
            }
        });
        let (names, addresses): (Vec<_>, Vec<_>) = addresses.unzip();
        let paths: Vec<_> = names.iter().map(|name| format!("{}/{name}", self.directory)).collect();
        let nodes = session.read(&paths).await?;
        for ((name, address), node) in names.into_iter().zip(addresses).zip(nodes) {
            match node {
                Some(node) => self.servers.insert(name, instance(address, &node.data)),
                None => self.servers.remove(&name),
            };
        }
        Ok(())
    }

    pub(super) fn instances(&self) -> Vec<Instance> {
        self.servers.values().cloned().collect()
    }
}

/// Metadata that makes no sense is no reason to leave a server out; Go keeps it too.
fn instance(address: Address, data: &[u8]) -> Instance {
    let metadata = InstanceMetadata::parse(&String::from_utf8_lossy(data));
    Instance::new(address).with_metadata(metadata)
}

/// The nodes whose names are no addresses, each mentioned once.
#[derive(Debug, Default)]
pub(super) struct Skipped(Mutex<HashSet<String>>);

impl Skipped {
    fn note(&self, directory: &str, name: &str, error: &dyn std::error::Error) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() < MOST_MENTIONED && known.insert(format!("{directory}/{name}")) {
            tracing::warn!(registry = "zookeeper", directory, name, %error, "a node is skipped");
        }
    }
}

/// Who fills a directory with other things shall not fill the log as well.
const MOST_MENTIONED: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_without_sense_keeps_the_server() {
        let address: Address = "tcp@h:1".parse().unwrap();
        let found = instance(address.clone(), b"\xff=%zz&weight=5");
        assert_eq!((found.address(), found.metadata().weight()), (&address, Some(5)));
    }
}
