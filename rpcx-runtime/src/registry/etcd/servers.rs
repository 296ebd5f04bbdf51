//! The servers of one service, as their keys say.

use std::collections::{BTreeMap, HashSet};

use etcd_client::{Event, EventType, KeyValue};

use crate::instance::{Instance, InstanceMetadata};

/// The servers of one service, by the address text in their key.
#[derive(Debug)]
pub(super) struct Servers {
    prefix: String,
    known: BTreeMap<Vec<u8>, Instance>,
    /// Keys that name no address; each is warned of once.
    strange: HashSet<Vec<u8>>,
}

impl Servers {
    pub(super) fn new(prefix: String) -> Self {
        Self { prefix, known: BTreeMap::new(), strange: HashSet::new() }
    }

    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Starts again from everything that etcd has.
    pub(super) fn replace(&mut self, all: &[KeyValue]) {
        self.known.clear();
        for entry in all {
            self.put(entry.key(), entry.value());
        }
    }

    /// Follows a change.
    pub(super) fn apply(&mut self, event: &Event) {
        let Some(entry) = event.kv() else { return };
        match event.event_type() {
            EventType::Put => self.put(entry.key(), entry.value()),
            EventType::Delete => {
                self.known.remove(entry.key());
            }
        }
    }

    pub(super) fn list(&self) -> Vec<Instance> {
        self.known.values().cloned().collect()
    }

    fn put(&mut self, key: &[u8], value: &[u8]) {
        let Some(address) = self.address(key) else {
            if self.strange.insert(key.to_owned()) {
                let key = String::from_utf8_lossy(key);
                tracing::warn!(registry = "etcd", %key, "skipped: the key does not end in an address");
            }
            return;
        };
        // A value that makes no sense says nothing of a server that is there all the same.
        let metadata = InstanceMetadata::parse(&String::from_utf8_lossy(value));
        let instance = Instance::new(address).with_metadata(metadata);
        self.known.insert(key.to_owned(), instance);
    }

    fn address(&self, key: &[u8]) -> Option<crate::Address> {
        let address = key.strip_prefix(self.prefix.as_bytes())?;
        std::str::from_utf8(address).ok()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(entries: &[(&[u8], &[u8])]) -> Vec<String> {
        let mut servers = Servers::new("/rpcx/Arith/".to_owned());
        for (key, value) in entries {
            servers.put(key, value);
        }
        servers.list().iter().map(|i| format!("{}?{}", i.address(), i.metadata())).collect()
    }

    #[test]
    fn a_key_names_an_address_after_the_prefix() {
        let entries: [(&[u8], &[u8]); 3] = [
            (b"/rpcx/Arith/tcp@h:1", b"weight=5"),
            (b"/rpcx/Arith/h:2", b""),
            (b"/rpcx/Arith/unix@/run/arith.sock", b""),
        ];
        assert_eq!(list(&entries), ["tcp@h:2?", "tcp@h:1?weight=5", "unix@/run/arith.sock?"]);
    }

    #[test]
    fn a_key_without_an_address_is_skipped() {
        let entries: [(&[u8], &[u8]); 5] = [
            (b"/rpcx/Arith/", b""),
            (b"/rpcx/Arith/kcp@h:1", b""),
            (b"/rpcx/Arith/\xff@h:1", b""),
            (b"/rpcx/Arith2/tcp@h:1", b""),
            (b"/rpcx/Arith/tcp@h:1", b""),
        ];
        assert_eq!(list(&entries), ["tcp@h:1?"]);
    }

    #[test]
    fn a_value_that_makes_no_sense_keeps_the_server() {
        let entries: [(&[u8], &[u8]); 1] = [(b"/rpcx/Arith/tcp@h:1", b"\xff%zz;")];
        assert_eq!(list(&entries).len(), 1);
    }
}
