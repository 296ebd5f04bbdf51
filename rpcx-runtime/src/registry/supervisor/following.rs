//! Keeps the list of a service current.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::watch;

use super::Shared;
use crate::instance::Instance;
use crate::registry::backend::{Backend, BackendError, Connection as _};
use crate::registry::backoff::Backoff;
use crate::registry::hold_back::HoldBack;
use crate::registry::settings::{SettingsError, check_service};
use crate::registry::{Reach, Snapshot};

/// The lists that are followed, by service: several clients of one service share a list.
#[derive(Default)]
pub(super) struct Following {
    lists: Mutex<HashMap<String, Weak<watch::Sender<Snapshot>>>>,
}

impl Following {
    fn lists(&self) -> MutexGuard<'_, HashMap<String, Weak<watch::Sender<Snapshot>>>> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends a list that nobody reads any more; `false` if somebody has come just now.
    fn end(&self, service: &str, list: &watch::Sender<Snapshot>) -> bool {
        let mut lists = self.lists();
        let unused = list.receiver_count() == 0;
        if unused {
            lists.remove(service);
        }
        unused
    }
}

/// Gives the list of a service, and starts to follow it if nobody does.
pub(super) fn follow<B: Backend>(
    shared: &Arc<Shared<B>>,
    service: &str,
) -> watch::Receiver<Snapshot> {
    let mut lists = shared.following.lists();
    if let Some(list) = lists.get(service).and_then(Weak::upgrade) {
        return list.subscribe();
    }
    let (list, reader) = watch::channel(Snapshot::starting());
    if let Err(error) = check_service(service) {
        list.send_modify(|snapshot| snapshot.lose(&error.to_string()));
        return reader;
    }
    let list = Arc::new(list);
    lists.insert(service.to_owned(), Arc::downgrade(&list));
    tokio::spawn(keep_following(Arc::clone(shared), service.to_owned(), list));
    reader
}

async fn keep_following<B: Backend>(
    shared: Arc<Shared<B>>,
    service: String,
    list: Arc<watch::Sender<Snapshot>>,
) {
    let ttl = shared.backend.ttl().unwrap_or_default();
    let mut held = HoldBack::new(ttl + GRACE);
    let mut backoff = Backoff::new();
    loop {
        let mut refused = false;
        tokio::select! {
            error = once(&shared, &service, &list, &mut held, &mut backoff) => {
                tracing::warn!(registry = B::NAME, service, %error, "the list may be out of date");
                refused = error.is::<SettingsError>();
                held.lost();
                list.send_modify(|snapshot| snapshot.lose(&error.to_string()));
            }
            () = list.closed() => {
                if shared.following.end(&service, &list) {
                    return;
                }
            }
        }
        tokio::select! {
            () = backoff.wait(), if !refused => {}
            () = list.closed() => {}
        }
    }
}

/// Follows the list until something goes wrong.
async fn once<B: Backend>(
    shared: &Shared<B>,
    service: &str,
    list: &watch::Sender<Snapshot>,
    held: &mut HoldBack,
    backoff: &mut Backoff,
) -> BackendError {
    let connection = match shared.connection().await {
        Ok(connection) => connection,
        Err(error) => return error,
    };
    // Only the latest list counts: one that comes while another is worked on replaces it.
    let (answers, mut answer) = watch::channel(None::<Vec<Instance>>);
    let watching = connection.watch(service, |named| {
        answers.send_replace(Some(named));
    });
    tokio::pin!(watching);
    let error = loop {
        let grace_is_over = async {
            match held.until() {
                Some(until) => tokio::time::sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            error = &mut watching => break error,
            _ = answer.changed() => {
                let named = answer.borrow_and_update().clone();
                if let Some(named) = named {
                    backoff.reset();
                    if publish(list, held.answer(named)) {
                        tracing::info!(registry = B::NAME, service, "the list is current again");
                    }
                }
            }
            () = grace_is_over => {
                publish(list, held.expire());
            }
        }
    };
    shared.discard(&connection).await;
    error
}

/// Publishes a list; tells whether the registry did not answer until now.
fn publish(list: &watch::Sender<Snapshot>, mut instances: Vec<Instance>) -> bool {
    // A stable order, whatever the registry's.
    instances.sort_by_cached_key(|instance| instance.address().to_string());
    let mut again = false;
    list.send_if_modified(|snapshot| {
        again = matches!(snapshot.reach(), Reach::Lost { .. });
        let news =
            snapshot.instances()[..] != instances[..] || !matches!(snapshot.reach(), Reach::Live);
        if news {
            *snapshot = Snapshot::live(instances);
        }
        news
    });
    again
}

/// Beyond the entries' own time to live, what a returning registry's servers get to register again.
const GRACE: std::time::Duration = std::time::Duration::from_secs(5);
