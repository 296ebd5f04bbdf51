//! The task of a registry: it lasts as long as there are entries or readers.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::time::Instant;

use super::shared::{Added, Shared};
use super::{NAME, go, rfc};
use crate::registry::registration::Withdraw;
use crate::registry::{Announcement, Registration, Snapshot};

/// Adds an entry, and starts the task if there is none.
pub(super) fn register(
    shared: &Arc<Shared>,
    service: &str,
    announcement: Announcement,
) -> Registration {
    match shared.add(service, announcement) {
        Ok(Added { number, state }) => {
            start(shared);
            Registration::new(state, Handle { shared: Arc::clone(shared), number })
        }
        Err(error) => {
            tracing::error!(registry = NAME, service, %error, "the service is not registered");
            Registration::refused(&error.to_string())
        }
    }
}

/// Gives the list of a service, and starts the task if there is none.
pub(super) fn discover(shared: &Arc<Shared>, service: &str) -> watch::Receiver<Snapshot> {
    match shared.follow(service) {
        Ok(list) => {
            start(shared);
            list
        }
        Err(error) => {
            let mut snapshot = Snapshot::starting();
            snapshot.lose(&error.to_string());
            watch::channel(snapshot).1
        }
    }
}

struct Handle {
    shared: Arc<Shared>,
    number: u64,
}

impl Withdraw for Handle {
    fn withdraw(self: Box<Self>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let gone = self.shared.leave(self.number);
        Box::pin(async move {
            if let Some(gone) = gone {
                // Nothing is sent: the sender is dropped with the entry.
                let _ = tokio::time::timeout(WITHDRAW, gone).await;
            }
        })
    }

    fn abandon(&self) {
        drop(self.shared.leave(self.number));
    }
}

fn start(shared: &Arc<Shared>) {
    if shared.start() {
        tokio::spawn(run(Running(Arc::clone(shared))));
    }
}

/// Notes the task's end, however that comes: its runtime may go away under it.
struct Running(Arc<Shared>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.reset(true);
    }
}

async fn run(running: Running) {
    let shared = &*running.0;
    loop {
        shared.reset(false);
        tokio::select! {
            never = rfc::run(shared) => match never {},
            never = go::run(shared), if shared.options().go_compatible => match never {},
            never = refresh(shared) => match never {},
            never = settle(shared) => match never {},
            () = idle(shared) => {}
        }
        if shared.release() {
            return;
        }
    }
}

/// Announces the figures of each interval.
async fn refresh(shared: &Shared) -> Infallible {
    loop {
        tokio::time::sleep(shared.options().update_interval).await;
        shared.refresh();
    }
}

/// Keeps the time for lists on which nobody is.
async fn settle(shared: &Shared) -> Infallible {
    let mut changes = shared.changes();
    loop {
        let due = shared.settle();
        tokio::select! {
            _ = changes.changed() => {}
            () = at(due) => {}
        }
    }
}

/// Waits until there are no entries and no readers.
async fn idle(shared: &Shared) {
    let mut changes = shared.changes();
    loop {
        changes.mark_unchanged();
        let lists = shared.only_lists();
        let unread = async {
            match &lists {
                Some(lists) => drop(join_all(lists.iter().map(|list| list.closed())).await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = changes.changed() => {}
            () = unread => return,
        }
    }
}

/// Waits until then, or for ever.
pub(super) async fn at(then: Option<Instant>) {
    match then {
        Some(then) => tokio::time::sleep_until(then).await,
        None => std::future::pending().await,
    }
}

/// How long taking an entry out is waited for.
const WITHDRAW: Duration = Duration::from_secs(2);
