//! The nodes that hang on a session.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use zookeeper_client::{Acls, CreateMode, Error, Stat};

use super::layout::Layout;
use super::session::{Session, explain};
use crate::address::Address;
use crate::registry::backend::{BackendError, Lease};

/// The nodes that hang on a session.
#[derive(Debug)]
pub(super) struct ZooKeeperLease {
    session: Arc<Session>,
    layout: Layout,
    acls: Acls<'static>,
    /// By their paths.
    own: Mutex<HashMap<String, Own>>,
}

/// A node of this process.
#[derive(Clone, Debug)]
struct Own {
    service: String,
    /// As last written.
    value: String,
    /// Another session has it: perhaps this server's next process, while this one is on its way out.
    taken: bool,
}

impl ZooKeeperLease {
    pub(super) fn new(session: Arc<Session>, layout: Layout, acls: Acls<'static>) -> Self {
        Self { session, layout, acls, own: Mutex::default() }
    }

    fn own(&self) -> MutexGuard<'_, HashMap<String, Own>> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a node of this session, whatever is there.
    async fn write(&self, service: &str, path: &str, value: &str) -> Result<(), Error> {
        let ephemeral = CreateMode::Ephemeral.with_acls(self.acls);
        loop {
            match self.session.client().create(path, value.as_bytes(), &ephemeral).await {
                Ok(_) => break,
                Err(Error::NoNode) => self.make_parents(service).await?,
                Err(Error::NodeExists) => {
                    let node = match self.session.client().get_data(path).await {
                        Err(Error::NoNode) => continue,
                        node => node?.1,
                    };
                    if self.overwrite(path, value, &node).await? {
                        break;
                    }
                }
                Err(error) => return Err(error),
            }
        }
        let own = Own { service: service.to_owned(), value: value.to_owned(), taken: false };
        self.own().insert(path.to_owned(), own);
        Ok(())
    }

    async fn make_parents(&self, service: &str) -> Result<(), Error> {
        let persistent = CreateMode::Persistent.with_acls(self.acls);
        for (path, data) in self.layout.parents(service) {
            match self.session.client().create(&path, data.as_bytes(), &persistent).await {
                Ok(_) | Err(Error::NodeExists) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Writes a value over a node as it was seen; `false` if it has changed meanwhile.
    ///
    /// A node cannot change hands. One that is not this session's is replaced in one step, so that no
    /// reader sees a list without it. (Go 1.9.4 only sets its data, and it vanishes with its session.)
    async fn overwrite(&self, path: &str, value: &str, seen: &Stat) -> Result<bool, Error> {
        let client = self.session.client();
        let written = if self.session.owns(seen) {
            client.set_data(path, value.as_bytes(), Some(seen.version)).await.map(drop)
        } else {
            let mut writer = client.new_multi_writer();
            writer.add_delete(path, Some(seen.version))?;
            let ephemeral = CreateMode::Ephemeral.with_acls(self.acls);
            writer.add_create(path, value.as_bytes(), &ephemeral)?;
            writer.commit().await.map(drop).map_err(Error::from)
        };
        match written {
            Ok(()) => Ok(true),
            Err(Error::BadVersion | Error::NoNode | Error::NodeExists) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Changes a node of this session by compare-and-set.
    async fn change(
        &self,
        service: &str,
        path: &str,
        change: impl Fn(Option<&str>) -> String + Send + Sync,
    ) -> Result<(), Error> {
        loop {
            let (data, stat) = match self.session.client().get_data(path).await {
                Err(Error::NoNode) => return self.write(service, path, &change(None)).await,
                node => node?,
            };
            if self.is_anothers(&stat) {
                self.note_taken(path);
                return Ok(());
            }
            let value = change(Some(&String::from_utf8_lossy(&data)));
            // Somebody may have made the node anew, without an owner.
            let unchanged = self.session.owns(&stat) && value.as_bytes() == data;
            if unchanged || self.overwrite(path, &value, &stat).await? {
                let own = Own { service: service.to_owned(), value, taken: false };
                self.own().insert(path.to_owned(), own);
                return Ok(());
            }
        }
    }

    /// Deletes a node if it is this session's.
    async fn delete(&self, path: &str) -> Result<(), Error> {
        let client = self.session.client();
        while let Some(stat) = client.check_stat(path).await? {
            if !self.session.owns(&stat) {
                break;
            }
            match client.delete(path, Some(stat.version)).await {
                Err(Error::BadVersion) => {}
                Ok(()) | Err(Error::NoNode) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Looks after the nodes of this process, and makes those again that are gone.
    async fn check(&self) -> Result<(), BackendError> {
        let own: Vec<_> =
            self.own().iter().map(|(path, own)| (path.clone(), own.clone())).collect();
        if own.is_empty() {
            let root = self.session.client().check_stat("/").await;
            return root.map(drop).map_err(|error| explain("/", error));
        }
        let paths: Vec<_> = own.iter().map(|(path, _)| path.clone()).collect();
        let nodes = self.session.read(&paths).await;
        let nodes = nodes.map_err(|error| explain("the nodes of this process", error))?;
        for ((path, own), node) in own.iter().zip(nodes) {
            let kept = match node {
                Some(node) if self.session.owns(&node.stat) => Ok(()),
                Some(node) if self.is_anothers(&node.stat) => {
                    self.note_taken(path);
                    Ok(())
                }
                _ => self.write(&own.service, path, &own.value).await,
            };
            kept.map_err(|error| explain(path, error))?;
        }
        Ok(())
    }

    /// Tells whether a node hangs on another session.
    fn is_anothers(&self, stat: &Stat) -> bool {
        stat.ephemeral_owner != 0 && !self.session.owns(stat)
    }

    fn note_taken(&self, path: &str) {
        if let Some(own) = self.own().get_mut(path)
            && !std::mem::replace(&mut own.taken, true)
        {
            tracing::warn!(registry = "zookeeper", path, "another process has taken the node over");
        }
    }
}

impl Lease for ZooKeeperLease {
    fn ttl(&self) -> Option<Duration> {
        Some(self.session.ttl())
    }

    async fn put(&self, service: &str, address: &Address, value: &str) -> Result<(), BackendError> {
        let path = self.layout.server(service, address)?;
        self.write(service, &path, value).await.map_err(|error| explain(&path, error))
    }

    async fn update(
        &self,
        service: &str,
        address: &Address,
        change: impl Fn(Option<&str>) -> String + Send + Sync,
    ) -> Result<(), BackendError> {
        let path = self.layout.server(service, address)?;
        self.change(service, &path, change).await.map_err(|error| explain(&path, error))
    }

    async fn stored(
        &self,
        service: &str,
        address: &Address,
    ) -> Result<Option<String>, BackendError> {
        let path = self.layout.server(service, address)?;
        match self.session.client().get_data(&path).await {
            Ok((data, _)) => Ok(Some(String::from_utf8_lossy(&data).into_owned())),
            Err(Error::NoNode) => Ok(None),
            Err(error) => Err(explain(&path, error)),
        }
    }

    async fn remove(&self, service: &str, address: &Address) -> Result<(), BackendError> {
        let path = self.layout.server(service, address)?;
        self.delete(&path).await.map_err(|error| explain(&path, error))?;
        self.own().remove(&path);
        Ok(())
    }

    async fn keep_alive(&self) -> Result<(), BackendError> {
        self.check().await
    }

    async fn lost(&self) -> BackendError {
        self.session.lost().await
    }

    /// Nothing hangs on the session any more; lists may still be followed in it.
    async fn end(self) {}
}
