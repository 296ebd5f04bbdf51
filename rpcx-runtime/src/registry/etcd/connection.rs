//! A connection to an etcd cluster.

use std::convert::Infallible;
use std::time::Duration;

use etcd_client::{
    Client, GetOptions, KvClient, ResponseHeader, WatchOptions, WatchResponse, WatchStream,
};
use tokio::time::timeout;

use super::error::plain;
use super::keys::Keys;
use super::lease::EtcdLease;
use super::servers::Servers;
use crate::instance::Instance;
use crate::registry::backend::{BackendError, Connection};

/// A connection to an etcd cluster; clones of its client share it.
pub(super) struct EtcdConnection {
    client: Client,
    keys: Keys,
    ttl: Duration,
}

impl EtcdConnection {
    pub(super) fn new(client: Client, keys: Keys, ttl: Duration) -> Self {
        Self { client, keys, ttl }
    }

    fn kv(&self) -> KvClient {
        self.client.kv_client().max_decoding_message_size(LARGEST_ANSWER)
    }
}

impl Connection for EtcdConnection {
    type Lease = EtcdLease;

    async fn lease(&self) -> Result<EtcdLease, BackendError> {
        EtcdLease::grant(self.client.lease_client(), self.kv(), self.keys.clone(), self.ttl).await
    }

    async fn watch(
        &self,
        service: &str,
        publish: impl FnMut(Vec<Instance>) + Send,
    ) -> BackendError {
        match self.follow(service, publish).await {
            Err(error) => error,
        }
    }
}

impl EtcdConnection {
    /// Reads all entries, then follows the changes; from the start again where etcd has dropped some.
    async fn follow(
        &self,
        service: &str,
        mut publish: impl FnMut(Vec<Instance>) + Send,
    ) -> Result<Infallible, BackendError> {
        let mut servers = Servers::new(self.keys.servers(service));
        let mut revision = 0;
        loop {
            let read = self.read(&mut servers).await?;
            check_age(read, revision)?;
            revision = read;
            publish(servers.list());
            let mut changes = self.changes_from(&servers, revision + 1).await?;
            while let Some(response) = next_change(&mut changes, revision).await? {
                revision = revision.max(response.header().map_or(0, ResponseHeader::revision));
                response.events().iter().for_each(|event| servers.apply(event));
                if !response.events().is_empty() {
                    publish(servers.list());
                }
            }
        }
    }

    /// Reads all entries; gives the revision at which they were so.
    async fn read(&self, servers: &mut Servers) -> Result<i64, BackendError> {
        let options = GetOptions::new().with_prefix();
        let mut kv = self.kv();
        let all = within(kv.get(servers.prefix(), Some(options))).await?;
        servers.replace(all.kvs());
        Ok(all.header().map_or(0, ResponseHeader::revision))
    }

    async fn changes_from(
        &self,
        servers: &Servers,
        revision: i64,
    ) -> Result<WatchStream, BackendError> {
        let options = WatchOptions::new().with_prefix().with_start_revision(revision);
        let mut client = self.client.watch_client().max_decoding_message_size(LARGEST_ANSWER);
        within(client.watch(servers.prefix(), Some(options))).await
    }
}

/// Waits for a change; gives none if those that are needed have been compacted away.
async fn next_change(
    changes: &mut WatchStream,
    revision: i64,
) -> Result<Option<WatchResponse>, BackendError> {
    let response = changes.message().await.map_err(plain)?.ok_or("etcd ended the watch")?;
    if response.compact_revision() > 0 {
        return Ok(None);
    }
    if response.canceled() {
        return Err(format!("etcd ended the watch: {}", response.cancel_reason()).into());
    }
    check_age(response.header().map_or(revision, ResponseHeader::revision), revision)?;
    Ok(Some(response))
}

/// Fails if etcd's history is shorter than it was: its data has been replaced.
fn check_age(revision: i64, known: i64) -> Result<(), BackendError> {
    if revision < known {
        return Err(format!(
            "etcd is at revision {revision} after {known}: its data is not the same"
        )
        .into());
    }
    Ok(())
}

/// Bounds a request that the supervisor does not.
async fn within<T>(
    request: impl Future<Output = Result<T, etcd_client::Error>>,
) -> Result<T, BackendError> {
    match timeout(REQUEST, request).await {
        Ok(result) => result.map_err(plain),
        Err(_) => Err(format!("no answer within {REQUEST:?}").into()),
    }
}

const REQUEST: Duration = Duration::from_secs(3);
/// In bytes; some hundred thousand entries.
const LARGEST_ANSWER: usize = 64 << 20;
