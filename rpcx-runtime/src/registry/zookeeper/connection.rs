//! A session, and what is watched in it.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;

use futures_util::FutureExt;
use zookeeper_client::{Acls, AddWatchMode, Error, EventType, PersistentWatcher, SessionState};

use super::layout::Layout;
use super::lease::ZooKeeperLease;
use super::listing::{Listing, Skipped};
use super::session::{Session, ended, explain};
use crate::instance::Instance;
use crate::registry::SettingsError;
use crate::registry::backend::{BackendError, Connection};

/// A session, and what is watched in it.
#[derive(Debug)]
pub(super) struct ZooKeeperConnection {
    session: Arc<Session>,
    layout: Layout,
    /// Who may do what with the nodes that are made.
    acls: Acls<'static>,
    /// Whether entries may hang on a session of this length; lists may always be followed.
    allowed: Result<(), SettingsError>,
    skipped: Arc<Skipped>,
}

impl ZooKeeperConnection {
    pub(super) fn new(
        session: Session,
        layout: Layout,
        acls: Acls<'static>,
        allowed: Result<(), SettingsError>,
        skipped: Arc<Skipped>,
    ) -> Self {
        Self { session: Arc::new(session), layout, acls, allowed, skipped }
    }

    /// Follows the children of a service's node, also while there is no such node.
    async fn follow(
        &self,
        service: &str,
        mut publish: impl FnMut(Vec<Instance>) + Send,
    ) -> Result<Infallible, BackendError> {
        let directory = self.layout.service(service);
        let mut listing = Listing::new(&directory, &self.skipped);
        // Set before the first list, so that nothing falls between the two.
        let mut watcher = self.set_watch(&directory).await.map_err(watching(&directory))?;
        let mut news = News::Anything;
        loop {
            let read = match news {
                News::Nothing => Ok(()),
                News::Some(names) => listing.read(&self.session, names).await,
                News::Anything => listing.read_all(&self.session).await,
                News::Reconnected => match self.set_watch(&directory).await {
                    Ok(again) => {
                        watcher = again;
                        listing.read_all(&self.session).await
                    }
                    Err(error) => Err(error),
                },
            };
            match read {
                Ok(()) => publish(listing.instances()),
                // The watcher says when the connection is back: everything is read again then.
                Err(Error::ConnectionLoss) => {}
                Err(error) => return Err(watching(&directory)(error)),
            }
            news = News::wait(&mut watcher, &directory).await?;
        }
    }

    /// Watches a node, which need not exist, and all below it.
    ///
    /// To be repeated when a connection is back: zookeeper-client 0.11.2 does not restore watches of
    /// this kind, although it means to.
    async fn set_watch(&self, directory: &str) -> Result<PersistentWatcher, Error> {
        self.session.client().watch(directory, AddWatchMode::PersistentRecursive).await
    }
}

/// Says what went wrong with a watch.
fn watching(directory: &str) -> impl Fn(Error) -> BackendError {
    move |error| match error {
        Error::Unimplemented => "ZooKeeper 3.6 or later is needed to follow lists".into(),
        error => explain(directory, error),
    }
}

impl Connection for ZooKeeperConnection {
    type Lease = ZooKeeperLease;

    async fn lease(&self) -> Result<ZooKeeperLease, BackendError> {
        self.allowed.clone()?;
        Ok(ZooKeeperLease::new(Arc::clone(&self.session), self.layout.clone(), self.acls))
    }

    async fn watch(
        &self,
        service: &str,
        publish: impl FnMut(Vec<Instance>) + Send,
    ) -> BackendError {
        tokio::select! {
            error = self.session.lost() => error,
            Err(error) = self.follow(service, publish) => error,
        }
    }
}

/// What may have changed.
#[derive(Debug, Eq, PartialEq)]
enum News {
    Nothing,
    /// The children of these names came, changed or went.
    Some(BTreeSet<String>),
    Anything,
    /// The connection was away; what happened in between was not told.
    Reconnected,
}

impl News {
    /// Waits for an event, and takes all that are there with it.
    async fn wait(watcher: &mut PersistentWatcher, directory: &str) -> Result<Self, BackendError> {
        let mut news = Self::Nothing;
        let mut event = watcher.changed().await;
        loop {
            if event.event_type == EventType::Session {
                match event.session_state {
                    SessionState::SyncConnected => news = Self::Reconnected,
                    state if state.is_terminated() => return Err(ended(state)),
                    _ => {}
                }
            } else {
                news.note(&event.path, directory);
            }
            match watcher.changed().now_or_never() {
                Some(next) => event = next,
                None => return Ok(news),
            }
        }
    }

    fn note(&mut self, path: &str, directory: &str) {
        let Some(below) = path.strip_prefix(directory) else { return };
        match (below.strip_prefix('/'), &mut *self) {
            (_, Self::Anything | Self::Reconnected) => {}
            // What is further below is nobody's entry.
            (Some(name), _) if name.contains('/') => {}
            (Some(name), Self::Some(names)) => {
                names.insert(name.to_owned());
            }
            (Some(name), Self::Nothing) => *self = Self::Some([name.to_owned()].into()),
            (None, _) => *self = Self::Anything,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn news(paths: &[&str]) -> News {
        let mut news = News::Nothing;
        for path in paths {
            news.note(path, "/rpcx/Arith");
        }
        news
    }

    #[test]
    fn events_name_the_children_that_changed() {
        let names = ["tcp@a:1".to_owned(), "tcp@b:1".to_owned()].into();
        let paths = [
            "/rpcx/Arith/tcp@b:1",
            "/rpcx/Arith/tcp@a:1",
            "/rpcx/Arith/tcp@b:1",
            "/rpcx/Arith/x/y",
        ];
        assert_eq!(news(&paths), News::Some(names));
    }

    #[test]
    fn an_event_of_the_directory_may_mean_anything() {
        let paths = ["/rpcx/Arith/tcp@b:1", "/rpcx/Arith", "/rpcx/Arith/tcp@a:1"];
        assert_eq!(news(&paths), News::Anything);
    }

    #[test]
    fn other_directories_do_not_matter() {
        assert_eq!(news(&["/rpcx/Other/tcp@a:1", "/rpcx"]), News::Nothing);
    }
}
