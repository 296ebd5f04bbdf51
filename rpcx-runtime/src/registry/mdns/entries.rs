//! The entries of this process: what is to be announced, and what is.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use super::half::{Half, Health, PerHalf};
use super::text;
use crate::instance::Instance;
use crate::registry::{Announcement, RegistrationState};

/// The entries of this process, by their number.
#[derive(Debug, Default)]
pub(super) struct Entries {
    entries: BTreeMap<u64, Entry>,
}

/// What is to be announced of an entry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Offer {
    /// The instance name.
    pub(super) label: Arc<str>,
    pub(super) port: u16,
    /// The TXT record's string.
    pub(super) text: Arc<str>,
}

#[derive(Debug)]
struct Entry {
    service: String,
    announcement: Announcement,
    offer: Offer,
    state: watch::Sender<RegistrationState>,
    /// The entry has been announced.
    shown: PerHalf<bool>,
    leaving: Option<Leaving>,
}

/// An entry on its way out.
#[derive(Debug, Default)]
struct Leaving {
    waiting: Vec<oneshot::Sender<()>>,
    /// Which halves have nothing more to say of it.
    silent: PerHalf<bool>,
}

impl Entries {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Adds an entry; its state can be followed.
    pub(super) fn add(
        &mut self,
        number: u64,
        service: &str,
        announcement: Announcement,
        offer: Offer,
    ) -> watch::Receiver<RegistrationState> {
        let (state, reader) = watch::channel(RegistrationState::Pending { error: None });
        let (service, shown) = (service.to_owned(), PerHalf::default());
        let entry = Entry { service, announcement, offer, state, shown, leaving: None };
        self.entries.insert(number, entry);
        reader
    }

    /// Lets an entry go; gives its service, and what tells when it is gone.
    pub(super) fn leave(&mut self, number: u64) -> Option<(String, oneshot::Receiver<()>)> {
        let entry = self.entries.get_mut(&number)?;
        let (gone, wait) = oneshot::channel();
        entry.leaving.get_or_insert_default().waiting.push(gone);
        Some((entry.service.clone(), wait))
    }

    /// Forgets the entries that are to go and of which nobody has anything more to say; tells
    /// whether there were any.
    pub(super) fn sweep(&mut self, health: &PerHalf<Health>) -> bool {
        let before = self.entries.len();
        self.entries.retain(|_, entry| match &entry.leaving {
            None => true,
            Some(leaving) => Half::ALL
                .into_iter()
                .any(|half| matches!(health.get(half), Health::Up) && !leaving.silent.get(half)),
        });
        self.entries.len() < before
    }

    /// Lists what is to be announced.
    pub(super) fn offers(&self) -> Vec<Offer> {
        let staying = self.entries.values().filter(|entry| entry.leaving.is_none());
        staying.map(|entry| entry.offer.clone()).collect()
    }

    /// Lists the names that are no longer to be announced.
    pub(super) fn leaving(&self) -> Vec<Arc<str>> {
        let leaving = self.entries.values().filter(|entry| entry.leaving.is_some());
        leaving.map(|entry| Arc::clone(&entry.offer.label)).collect()
    }

    /// Lists this process's own servers of a service.
    pub(super) fn instances(&self, service: &str) -> impl Iterator<Item = Instance> {
        let of_service = move |entry: &&Entry| entry.service == service && entry.leaving.is_none();
        let announced = self.entries.values().filter(of_service);
        announced.flat_map(|entry| text::read(entry.offer.text.as_bytes())).map(|one| one.instance)
    }

    /// Notes that a half has announced an entry.
    pub(super) fn note_shown(&mut self, half: Half, label: &str) {
        for entry in self.named(label) {
            *entry.shown.get_mut(half) = true;
            if !matches!(*entry.state.borrow(), RegistrationState::Registered) {
                entry.state.send_replace(RegistrationState::Registered);
            }
        }
    }

    /// Notes that a half says nothing more of an entry.
    pub(super) fn note_silent(&mut self, half: Half, label: &str) {
        for entry in self.named(label) {
            if let Some(leaving) = &mut entry.leaving {
                *leaving.silent.get_mut(half) = true;
            }
        }
    }

    /// Notes that a half announces nothing any more.
    pub(super) fn note_down(&mut self, half: Half, error: &Arc<str>) {
        for entry in self.entries.values_mut() {
            *entry.shown.get_mut(half) = false;
            if !entry.shown.iter().any(|shown| *shown) {
                entry.state.send_modify(|state| *state = lost(state, error));
            }
        }
    }

    /// Works out anew what is announced: the figures have changed. Gives the services concerned.
    pub(super) fn refresh(&mut self) -> Vec<String> {
        let entries = self.entries.values_mut();
        let changed = entries.filter_map(|entry| {
            let (text, _) = text::write(&entry.service, &entry.announcement).ok()?;
            let news = *text != *entry.offer.text;
            entry.offer.text = text.into();
            news.then(|| entry.service.clone())
        });
        changed.collect()
    }

    fn named(&mut self, label: &str) -> impl Iterator<Item = &mut Entry> {
        self.entries.values_mut().filter(move |entry| *entry.offer.label == *label)
    }
}

/// Gives what becomes of a state when nobody announces the entry.
fn lost(state: &RegistrationState, error: &Arc<str>) -> RegistrationState {
    let error = Arc::clone(error);
    match state {
        RegistrationState::Registered => RegistrationState::Lost { since: Instant::now(), error },
        RegistrationState::Lost { since, .. } => RegistrationState::Lost { since: *since, error },
        _ => RegistrationState::Pending { error: Some(error) },
    }
}
