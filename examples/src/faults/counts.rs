//! What has passed, and what has struck.

use std::collections::BTreeMap;
use std::fmt;

use super::rule::Fault;

/// What has passed through, and what has struck.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Connections.
    pub connections: u64,
    /// Messages of clients, harmed or not.
    pub requests: u64,
    /// Messages of servers.
    pub replies: u64,
    faults: BTreeMap<&'static str, u64>,
}

impl Counts {
    /// Counts the faults that struck, all kinds together.
    pub fn faults(&self) -> u64 {
        self.faults.values().sum()
    }

    /// Counts the faults of one kind by its name in rules, such as `cut`.
    pub fn of(&self, name: &str) -> u64 {
        self.faults.get(name).copied().unwrap_or_default()
    }

    pub(super) fn note(&mut self, fault: &Fault) {
        *self.faults.entry(fault.name()).or_default() += 1;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { connections, requests, replies, faults } = self;
        write!(f, "{connections} connections, {requests} requests, {replies} replies")?;
        for (name, count) in faults {
            write!(f, ", {count} {name}")?;
        }
        Ok(())
    }
}
