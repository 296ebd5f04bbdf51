//! Keeps the entries of this process alive.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot, watch};
use tokio::time::Instant;

use super::{REQUEST, Shared, within};
use crate::address::Address;
use crate::registry::backend::{Backend, BackendError, Connection as _, Lease};
use crate::registry::backoff::Backoff;
use crate::registry::registration::Withdraw;
use crate::registry::settings::{SettingsError, check_service};
use crate::registry::{Announcement, Registration, RegistrationState};

/// The entries that are to be there, and those that are to go.
#[derive(Default)]
pub(super) struct Entries {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    entries: HashMap<Key, Entry>,
    /// A task looks after the entries.
    tended: bool,
}

/// One entry a service and address.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Key {
    service: String,
    address: Address,
}

struct Entry {
    announcement: Announcement,
    /// What was last stored, as far as known, with what an operator changed; none if this process
    /// has not written the entry yet.
    stored: Option<String>,
    state: watch::Sender<RegistrationState>,
    /// The entry is in the registry, as far as known.
    written: bool,
    /// The entry is to go; who waits for that.
    leaving: Option<Vec<oneshot::Sender<()>>>,
}

impl Entries {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets an entry go.
    fn leave(&self, key: &Key) -> oneshot::Receiver<()> {
        let (gone, wait) = oneshot::channel();
        if let Some(entry) = self.state().entries.get_mut(key) {
            entry.leaving.get_or_insert_default().push(gone);
        }
        self.changed.notify_one();
        wait
    }

    /// Gives the entries that are to be written, or to go.
    fn due(&self) -> Vec<(Key, Due)> {
        let state = self.state();
        let due = state.entries.iter().filter_map(|(key, entry)| {
            let due = match (&entry.leaving, entry.written) {
                (Some(_), written) => Due::Remove { written },
                (None, false) => Due::Put(entry.announcement.clone(), entry.stored.clone()),
                (None, true) => return None,
            };
            Some((key.clone(), due))
        });
        due.collect()
    }

    fn written(&self) -> Vec<(Key, Announcement)> {
        let state = self.state();
        let written = state.entries.iter().filter(|(_, e)| e.written && e.leaving.is_none());
        written.map(|(key, entry)| (key.clone(), entry.announcement.clone())).collect()
    }

    /// Notes that an entry is in the registry; tells whether it is so after trouble.
    fn note_written(&self, key: &Key) -> bool {
        let mut state = self.state();
        let Some(entry) = state.entries.get_mut(key) else { return false };
        entry.written = true;
        let before = entry.state.send_replace(RegistrationState::Registered);
        let first = matches!(before, RegistrationState::Pending { error: None });
        !first && !matches!(before, RegistrationState::Registered)
    }

    fn note_stored(&self, key: &Key, value: &str) {
        if let Some(entry) = self.state().entries.get_mut(key) {
            entry.stored = Some(value.to_owned());
        }
    }

    /// Forgets an entry; whoever waits for that learns of it as its sender is dropped.
    fn note_gone(&self, key: &Key) {
        self.state().entries.remove(key);
    }

    /// Notes that nothing is known of the registry any more. Entries that are to go are gone: what
    /// is left of them ends with the lease.
    fn note_lost(&self, error: &BackendError) {
        let mut state = self.state();
        state.entries.retain(|_, entry| entry.leaving.is_none());
        for entry in state.entries.values_mut() {
            entry.written = false;
            let error: Arc<str> = error.to_string().into();
            entry.state.send_modify(|state| {
                *state = match state {
                    RegistrationState::Registered => {
                        RegistrationState::Lost { since: Instant::now(), error }
                    }
                    RegistrationState::Lost { since, .. } => {
                        RegistrationState::Lost { since: *since, error }
                    }
                    _ => RegistrationState::Pending { error: Some(error) },
                };
            });
        }
    }

    /// Gives all entries up: the registry will never take them.
    fn refuse(&self, error: &BackendError) {
        let refused = std::mem::take(&mut self.state().entries);
        for entry in refused.into_values() {
            let error = error.to_string().into();
            entry.state.send_replace(RegistrationState::Refused { error });
        }
    }

    /// Ends the task's care if there is nothing to care for.
    fn release(&self) -> bool {
        let mut state = self.state();
        let idle = state.entries.is_empty();
        state.tended &= !idle;
        idle
    }
}

enum Due {
    /// With what was last stored.
    Put(Announcement, Option<String>),
    Remove {
        written: bool,
    },
}

/// Adds an entry, and starts the task that looks after entries if there is none.
pub(super) fn register<B: Backend>(
    shared: &Arc<Shared<B>>,
    service: &str,
    announcement: Announcement,
) -> Registration {
    let checked = check_service(service).and_then(|()| shared.backend.ttl());
    let ttl = match checked {
        Ok(ttl) => ttl,
        Err(error) => {
            tracing::error!(registry = B::NAME, service, %error, "the service is not registered");
            return Registration::refused(&error.to_string());
        }
    };
    let (sender, reader) = watch::channel(RegistrationState::Pending { error: None });
    let address = announcement.instance().address().clone();
    let metrics = shared.backend.settings().metrics;
    let announcement = if metrics { announcement } else { announcement.without_load() };
    let key = Key { service: service.to_owned(), address };
    let entry = Entry { announcement, stored: None, state: sender, written: false, leaving: None };
    let mut state = shared.entries.state();
    state.entries.insert(key.clone(), entry);
    if !std::mem::replace(&mut state.tended, true) {
        tokio::spawn(tend(Arc::clone(shared), ttl));
    }
    drop(state);
    shared.entries.changed.notify_one();
    Registration::new(reader, Handle { shared: Arc::clone(shared), key })
}

struct Handle<B: Backend> {
    shared: Arc<Shared<B>>,
    key: Key,
}

impl<B: Backend> Withdraw for Handle<B> {
    fn withdraw(self: Box<Self>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let gone = self.shared.entries.leave(&self.key);
        Box::pin(async move {
            // An error says that nobody is left who could say more: the entry is gone.
            let _ = tokio::time::timeout(WITHDRAW, gone).await;
        })
    }

    fn abandon(&self) {
        drop(self.shared.entries.leave(&self.key));
    }
}

/// Looks after the entries until there are none.
async fn tend<B: Backend>(shared: Arc<Shared<B>>, ttl: Duration) {
    let mut backoff = Backoff::new();
    while !shared.entries.release() {
        let Err(error) = live(&shared, ttl, &mut backoff).await else { continue };
        if error.is::<SettingsError>() {
            tracing::error!(registry = B::NAME, %error, "the services are not registered");
            shared.entries.refuse(&error);
            continue;
        }
        tracing::warn!(registry = B::NAME, %error, "the entries of this process may be gone");
        shared.entries.note_lost(&error);
        backoff.wait().await;
    }
}

/// One life: from a new lease to its end, or to its loss.
async fn live<B: Backend>(
    shared: &Shared<B>,
    ttl: Duration,
    backoff: &mut Backoff,
) -> Result<(), BackendError> {
    let connection = shared.connection().await?;
    let result = async {
        let lease = within(REQUEST, connection.lease()).await?;
        let ttl = lease.ttl().unwrap_or(ttl);
        let result = keep(shared, &lease, ttl, backoff).await;
        if result.is_ok() {
            let _ = tokio::time::timeout(REQUEST, lease.end()).await;
        }
        result
    }
    .await;
    if result.is_err() {
        shared.discard(&connection).await;
    }
    result
}

/// Writes, refreshes and takes out entries on one lease until there are none left.
async fn keep<B: Backend>(
    shared: &Shared<B>,
    lease: &impl Lease,
    ttl: Duration,
    backoff: &mut Backoff,
) -> Result<(), BackendError> {
    let interval = shared.backend.settings().update_interval;
    let mut alive = Instant::now();
    let mut next_sign = alive + ttl / 3;
    let mut next_update = alive + interval;
    loop {
        write_due(shared, lease).await?;
        backoff.reset();
        if shared.entries.state().entries.is_empty() {
            return Ok(());
        }
        tokio::select! {
            () = shared.entries.changed.notified() => {}
            error = lease.lost() => return Err(error),
            () = tokio::time::sleep_until(next_sign) => {
                within(REQUEST.min(ttl / 3), lease.keep_alive()).await?;
                alive = Instant::now();
                next_sign = alive + ttl / 3;
            }
            () = tokio::time::sleep_until(next_update) => {
                update_all(shared, lease).await?;
                next_update = Instant::now() + interval;
            }
        }
        if alive.elapsed() > ttl {
            return Err(format!("no sign of life could be given for {ttl:?}").into());
        }
    }
}

async fn write_due<B: Backend>(shared: &Shared<B>, lease: &impl Lease) -> Result<(), BackendError> {
    let entries = &shared.entries;
    for (key, due) in entries.due() {
        match due {
            Due::Put(announcement, stored) => {
                let value = announcement.update(latest(lease, &key, stored).await?.as_deref());
                within(REQUEST, lease.put(&key.service, &key.address, &value)).await?;
                entries.note_stored(&key, &value);
                if entries.note_written(&key) {
                    let Key { service, address } = &key;
                    tracing::info!(registry = B::NAME, service, %address, "the service is registered after all");
                }
            }
            Due::Remove { written } => {
                if written {
                    within(REQUEST, lease.remove(&key.service, &key.address)).await?;
                }
                entries.note_gone(&key);
            }
        }
    }
    Ok(())
}

/// Gives what an entry of this process is now, or else what it last was; none if it is new: then what
/// an earlier process at this address left does not count.
async fn latest(
    lease: &impl Lease,
    key: &Key,
    stored: Option<String>,
) -> Result<Option<String>, BackendError> {
    if stored.is_none() {
        return Ok(None);
    }
    let now = within(REQUEST, lease.stored(&key.service, &key.address)).await?;
    Ok(now.or(stored))
}

/// Writes the load of the last interval into the entries, and writes again those that are gone.
async fn update_all<B: Backend>(
    shared: &Shared<B>,
    lease: &impl Lease,
) -> Result<(), BackendError> {
    for (key, announcement) in shared.entries.written() {
        let change = |stored: Option<&str>| {
            let value = announcement.update(stored);
            shared.entries.note_stored(&key, &value);
            value
        };
        within(REQUEST, lease.update(&key.service, &key.address, change)).await?;
    }
    Ok(())
}

/// How long taking an entry out is waited for.
const WITHDRAW: Duration = Duration::from_secs(2);
