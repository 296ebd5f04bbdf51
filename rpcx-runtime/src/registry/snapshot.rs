//! The servers of a service at one moment.

use std::sync::Arc;

use tokio::time::Instant;

use crate::instance::Instance;

/// The servers of a service at one moment, and how current that is.
#[derive(Clone, Debug)]
pub struct Snapshot {
    instances: Arc<[Instance]>,
    reach: Reach,
}

/// Whether the registry can be reached.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Reach {
    /// No answer has come yet.
    Starting,
    /// The registry answers, or there is none to ask.
    Live,
    /// The registry does not answer; the servers are the last that it named.
    Lost {
        /// Since when.
        since: Instant,
        /// What went wrong last.
        error: Arc<str>,
    },
}

impl Snapshot {
    /// Makes the snapshot of a registry that answers.
    pub fn live(instances: impl Into<Arc<[Instance]>>) -> Self {
        Self { instances: instances.into(), reach: Reach::Live }
    }

    /// Makes the snapshot of a registry that stopped answering just now; `instances` are the last
    /// that it named.
    pub fn lost(instances: impl Into<Arc<[Instance]>>, error: &str) -> Self {
        let mut snapshot = Self::live(instances);
        snapshot.lose(error);
        snapshot
    }

    /// Makes the snapshot of a registry that has not answered yet.
    pub fn starting() -> Self {
        Self { instances: Arc::new([]), reach: Reach::Starting }
    }

    /// Gives the servers.
    pub fn instances(&self) -> &Arc<[Instance]> {
        &self.instances
    }

    /// Gives how current they are.
    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    /// Notes that the registry does not answer; the servers stay.
    pub(crate) fn lose(&mut self, error: &str) {
        let since = match self.reach {
            Reach::Lost { since, .. } => since,
            Reach::Starting | Reach::Live => Instant::now(),
        };
        self.reach = Reach::Lost { since, error: error.into() };
    }
}
