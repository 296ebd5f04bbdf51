//! A client's view of a service.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use rpcx::registry::{Registry, Snapshot};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::soon;

/// A client's view of a service: the list that a registry keeps for it.
#[derive(Debug)]
pub(crate) struct Follower {
    list: watch::Receiver<Snapshot>,
    /// Keeps its tasks going.
    _registry: Arc<dyn Registry>,
}

impl Follower {
    pub(crate) fn new(registry: Arc<dyn Registry>, service: &str) -> Self {
        Self { list: registry.discover(service), _registry: registry }
    }

    /// Waits for a list; gives how long that took.
    pub(crate) async fn until(
        &mut self,
        what: &str,
        condition: impl Fn(&Snapshot) -> bool,
    ) -> Duration {
        let begun = Instant::now();
        soon(what, self.list.wait_for(condition)).await.expect("the list is followed");
        begun.elapsed()
    }

    /// Waits for exactly these servers, in the form of [`servers`](Self::servers).
    pub(crate) async fn until_servers(&mut self, expected: &[&str]) -> Duration {
        let what = format!("servers {expected:?}");
        self.until(&what, |snapshot| texts(snapshot) == expected).await
    }

    /// Gives the servers, each as `tcp@127.0.0.1:1?weight=5`.
    pub(crate) fn servers(&self) -> Vec<String> {
        texts(&self.list.borrow())
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.list.borrow().clone()
    }

    /// Watches from now on how short the list gets.
    pub(crate) fn measure(&self) -> Shortest {
        let mut list = self.list.clone();
        let now = list.clone();
        let length = Arc::new(AtomicUsize::new(usize::MAX));
        let noted = Arc::clone(&length);
        let task = tokio::spawn(async move {
            loop {
                noted.fetch_min(list.borrow_and_update().instances().len(), Ordering::SeqCst);
                if list.changed().await.is_err() {
                    return;
                }
            }
        });
        Shortest { length, now, task }
    }

    /// Watches from now on whether the server at an address is always in the list.
    pub(crate) fn watch_for(&self, address: &'static str) -> Presence {
        self.always(move |list| names(list, address))
    }

    /// Watches from now on whether each list is as it should be.
    pub(crate) fn always(
        &self,
        condition: impl Fn(&Snapshot) -> bool + Send + Sync + 'static,
    ) -> Presence {
        let mut list = self.list.clone();
        let absent = Arc::new(AtomicBool::new(false));
        let noted = Arc::clone(&absent);
        let task = tokio::spawn(async move {
            loop {
                if !condition(&list.borrow_and_update()) {
                    noted.store(true, Ordering::SeqCst);
                }
                if list.changed().await.is_err() {
                    return;
                }
            }
        });
        Presence { absent, task }
    }
}

/// How short a list got.
#[derive(Debug)]
pub(crate) struct Shortest {
    length: Arc<AtomicUsize>,
    now: watch::Receiver<Snapshot>,
    task: JoinHandle<()>,
}

impl Shortest {
    /// Gives the shortest length; the task may not have seen the last list yet.
    pub(crate) fn length(&self) -> usize {
        self.length.load(Ordering::SeqCst).min(self.now.borrow().instances().len())
    }
}

impl Drop for Shortest {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Whether all lists were as they should be.
#[derive(Debug)]
pub(crate) struct Presence {
    absent: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Presence {
    pub(crate) fn has_no_gap(&self) -> bool {
        !self.absent.load(Ordering::SeqCst)
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn names(list: &Snapshot, address: &str) -> bool {
    list.instances().iter().any(|instance| instance.address().to_string() == address)
}

fn texts(snapshot: &Snapshot) -> Vec<String> {
    let instances = snapshot.instances().iter();
    let text = |instance: &rpcx::Instance| match instance.metadata().to_string().as_str() {
        "" => instance.address().to_string(),
        query => format!("{}?{query}", instance.address()),
    };
    instances.map(text).collect()
}
