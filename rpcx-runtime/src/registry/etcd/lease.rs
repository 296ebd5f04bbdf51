//! What the entries of this process hang on.

use std::borrow::Cow;
use std::time::Duration;

use etcd_client::{
    Compare, CompareOp, KeyValue, KvClient, LeaseClient, LeaseKeepAliveStream, LeaseKeeper,
    PutOptions, Txn, TxnOp,
};
use tokio::sync::Mutex;

use super::error::plain;
use super::keys::Keys;
use crate::address::Address;
use crate::registry::backend::{BackendError, Lease};

/// A lease, and a stream of signs of life on it.
pub(super) struct EtcdLease {
    id: i64,
    leases: LeaseClient,
    kv: KvClient,
    keys: Keys,
    signs: Mutex<(LeaseKeeper, LeaseKeepAliveStream)>,
}

impl EtcdLease {
    pub(super) async fn grant(
        mut leases: LeaseClient,
        kv: KvClient,
        keys: Keys,
        ttl: Duration,
    ) -> Result<Self, BackendError> {
        let id = leases.grant(whole_seconds(ttl), None).await.map_err(plain)?.id();
        let signs = Mutex::new(leases.keep_alive(id).await.map_err(plain)?);
        Ok(Self { id, leases, kv, keys, signs })
    }

    async fn read(&self, key: &str) -> Result<Option<KeyValue>, BackendError> {
        let mut answer = self.kv.clone().get(key, None).await.map_err(plain)?;
        Ok(answer.take_kvs().pop())
    }

    fn put_on_lease(&self, key: &str, value: String) -> TxnOp {
        TxnOp::put(key, value, Some(PutOptions::new().with_lease(self.id)))
    }

    /// Tells whether another process holds an entry. An operator's edit by hand takes it off its
    /// lease: that is still ours.
    fn is_foreign(&self, stored: &KeyValue) -> bool {
        stored.lease() != 0 && stored.lease() != self.id
    }

    async fn commit(&self, transaction: Txn) -> Result<bool, BackendError> {
        let answer = self.kv.clone().txn(transaction).await.map_err(plain)?;
        Ok(answer.succeeded())
    }
}

impl Lease for EtcdLease {
    /// Puts the key on this lease; it leaves the one that it was on, without having been away.
    async fn put(&self, service: &str, address: &Address, value: &str) -> Result<(), BackendError> {
        let parents = [
            TxnOp::put(self.keys.base(), Keys::BASE_VALUE, None),
            TxnOp::put(self.keys.service(service), service, None),
        ];
        let entry = self.put_on_lease(&self.keys.server(service, address), value.to_owned());
        let [base, service] = parents;
        self.commit(Txn::new().and_then([base, service, entry])).await?;
        Ok(())
    }

    async fn update(
        &self,
        service: &str,
        address: &Address,
        change: impl Fn(Option<&str>) -> String + Send + Sync,
    ) -> Result<(), BackendError> {
        let key = self.keys.server(service, address);
        for _ in 0..TRIES {
            let stored = self.read(&key).await?;
            if stored.as_ref().is_some_and(|stored| self.is_foreign(stored)) {
                // A new process has this address; when it goes, its entry goes.
                return Ok(());
            }
            let text = stored.as_ref().map(text_of);
            let value = change(text.as_deref());
            let same =
                |stored: &KeyValue| stored.value() == value.as_bytes() && stored.lease() == self.id;
            if stored.as_ref().is_some_and(same) {
                return Ok(());
            }
            // 0 stands for a key that is not there.
            let seen = stored.as_ref().map_or(0, KeyValue::mod_revision);
            let unchanged = Compare::mod_revision(key.as_str(), CompareOp::Equal, seen);
            let put = self.put_on_lease(&key, value);
            if self.commit(Txn::new().when([unchanged]).and_then([put])).await? {
                return Ok(());
            }
        }
        tracing::warn!(registry = "etcd", key, "not updated: somebody else changes the entry");
        Ok(())
    }

    async fn stored(
        &self,
        service: &str,
        address: &Address,
    ) -> Result<Option<String>, BackendError> {
        let stored = self.read(&self.keys.server(service, address)).await?;
        Ok(stored.map(|stored| text_of(&stored).into_owned()))
    }

    /// Leaves the entry if a new process has taken the address over.
    async fn remove(&self, service: &str, address: &Address) -> Result<(), BackendError> {
        let key = self.keys.server(service, address);
        let held_by = |lease| Compare::lease(key.as_str(), CompareOp::Equal, lease);
        let delete = || TxnOp::delete(key.as_str(), None);
        let without_lease = Txn::new().when([held_by(0)]).and_then([delete()]);
        let remove = Txn::new()
            .when([held_by(self.id)])
            .and_then([delete()])
            .or_else([TxnOp::txn(without_lease)]);
        self.commit(remove).await?;
        Ok(())
    }

    async fn keep_alive(&self) -> Result<(), BackendError> {
        let mut signs = self.signs.lock().await;
        let (sender, answers) = &mut *signs;
        sender.keep_alive().await.map_err(plain)?;
        take_answer(answers).await
    }

    /// Sees the stream of answers break.
    async fn lost(&self) -> BackendError {
        let mut signs = self.signs.lock().await;
        loop {
            if let Err(error) = take_answer(&mut signs.1).await {
                return error;
            }
        }
    }

    async fn end(mut self) {
        // The lease ends by itself if this fails.
        let _ = self.leases.revoke(self.id).await;
    }
}

fn text_of(stored: &KeyValue) -> Cow<'_, str> {
    String::from_utf8_lossy(stored.value())
}

async fn take_answer(answers: &mut LeaseKeepAliveStream) -> Result<(), BackendError> {
    let answer = answers.message().await.map_err(plain)?;
    let answer = answer.ok_or("etcd ended the stream of signs of life")?;
    if answer.ttl() <= 0 {
        return Err("the lease has expired".into());
    }
    Ok(())
}

/// Rounds up: etcd counts in seconds.
fn whole_seconds(ttl: Duration) -> i64 {
    let seconds = ttl.as_secs().saturating_add(u64::from(ttl.subsec_nanos() > 0));
    i64::try_from(seconds).unwrap_or(i64::MAX)
}

/// How often an update is tried when somebody else changes the entry at the same time.
const TRIES: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_rounded_up() {
        let seconds = |millis| whole_seconds(Duration::from_millis(millis));
        assert_eq!([seconds(3000), seconds(3001), seconds(10_000)], [3, 4, 10]);
        assert_eq!(whole_seconds(Duration::MAX), i64::MAX);
    }
}
