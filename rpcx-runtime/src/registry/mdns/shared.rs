//! What the clones of a registry and its tasks share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use super::entries::{Entries, Offer};
use super::half::{Half, Health, PerHalf};
use super::label::{self, Tag};
use super::lists::Lists;
use super::options::Options;
use super::text::{self, Announced};
use crate::registry::settings::check_service;
use crate::registry::{Announcement, RegistrationState, SettingsError, Snapshot};

/// What the clones of a registry and its tasks share.
#[derive(Debug)]
pub(super) struct Shared {
    options: Options,
    tag: Tag,
    state: Mutex<State>,
    /// Tells the tasks to look at the state again.
    changed: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct State {
    entries: Entries,
    lists: Lists,
    health: PerHalf<Health>,
    numbers: u64,
    /// A task does the work.
    running: bool,
}

/// An entry, as long as it is wanted.
pub(super) struct Added {
    pub(super) number: u64,
    pub(super) state: watch::Receiver<RegistrationState>,
}

/// What a half is to do.
pub(super) struct Work {
    /// To be announced, and nothing else.
    pub(super) offers: Vec<Offer>,
    /// To be taken back, if that was announced.
    pub(super) leaving: Vec<Arc<str>>,
    /// Somebody wants to know who is there.
    pub(super) is_followed: bool,
}

impl Shared {
    pub(super) fn new(options: Options) -> Self {
        let (changed, _) = watch::channel(());
        Self { options, tag: Tag::draw(), state: Mutex::default(), changed }
    }

    pub(super) fn options(&self) -> &Options {
        &self.options
    }

    /// Tells whether a name is that of an entry of this process, now or before.
    pub(super) fn is_own(&self, label: &str) -> bool {
        self.tag.made(label)
    }

    /// Gives what tells of changes; the present state counts as one.
    pub(super) fn changes(&self) -> watch::Receiver<()> {
        let mut changes = self.changed.subscribe();
        changes.mark_changed();
        changes
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what the tasks have to do.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.state());
        self.changed.send_replace(());
        result
    }

    /// Adds an entry.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] if it can never be announced.
    pub(super) fn add(
        &self,
        service: &str,
        announcement: Announcement,
    ) -> Result<Added, SettingsError> {
        check_service(service)?;
        self.options.check()?;
        let port = label::port(announcement.instance().address())?;
        let with_figures = self.options.metrics;
        let announcement = if with_figures { announcement } else { announcement.without_load() };
        let (text, complete) = text::write(service, &announcement)?;
        if !complete {
            tracing::warn!(
                registry = super::NAME,
                service,
                "the entry has no room for `calls` and `connections`"
            );
        }
        Ok(self.change(|state| {
            state.numbers += 1;
            let number = state.numbers;
            let label = self.tag.label(service, port, number).into();
            let offer = Offer { label, port, text: text.into() };
            let reader = state.entries.add(number, service, announcement, offer);
            state.publish(service);
            Added { number, state: reader }
        }))
    }

    /// Lets an entry go; gives what tells when it is gone.
    pub(super) fn leave(&self, number: u64) -> Option<oneshot::Receiver<()>> {
        self.change(|state| {
            let (service, gone) = state.entries.leave(number)?;
            state.entries.sweep(&state.health);
            state.publish(&service);
            Some(gone)
        })
    }

    /// Gives the list of a service.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] if it can never have servers.
    pub(super) fn follow(&self, service: &str) -> Result<watch::Receiver<Snapshot>, SettingsError> {
        check_service(service)?;
        self.options.check()?;
        Ok(self.change(|state| {
            let list = state.lists.follow(service, self.options.timeout);
            state.publish(service);
            list
        }))
    }

    /// Gives what a half is to do.
    pub(super) fn work(&self) -> Work {
        let mut state = self.state();
        let is_followed = state.lists.are_read();
        Work { offers: state.entries.offers(), leaving: state.entries.leaving(), is_followed }
    }

    pub(super) fn follows(&self, service: &str) -> bool {
        self.state().lists.has(service)
    }

    /// Notes that a half listens and speaks.
    pub(super) fn note_up(&self, half: Half) {
        self.change(|state| {
            *state.health.get_mut(half) = Health::Up;
            state.lists.find(self.options.timeout);
            state.publish_all();
        });
    }

    /// Notes that a half does not work.
    pub(super) fn note_down(&self, half: Half, error: &str) {
        self.change(|state| {
            let known = matches!(state.health.get(half), Health::Down(known) if **known == *error);
            if !known {
                let name = half.service_type();
                tracing::warn!(registry = super::NAME, name, error, "this name is not spoken");
            }
            let error: Arc<str> = error.into();
            state.entries.note_down(half, &error);
            *state.health.get_mut(half) = Health::Down(error);
            state.entries.sweep(&state.health);
            if let Some(error) = state.health.error() {
                state.lists.lose(error);
            }
        });
    }

    /// Notes that a half has announced an entry.
    pub(super) fn note_shown(&self, half: Half, label: &str) {
        self.state().entries.note_shown(half, label);
    }

    /// Notes that a half says nothing more of an entry.
    pub(super) fn note_silent(&self, half: Half, label: &str) {
        let mut guard = self.state();
        let state = &mut *guard;
        state.entries.note_silent(half, label);
        let swept = state.entries.sweep(&state.health);
        drop(guard);
        // Only then: whoever is told comes here again with the entries that are still leaving.
        if swept {
            self.changed.send_replace(());
        }
    }

    /// Takes what is known of the network from one half.
    pub(super) fn hear(&self, half: Half, announced: Vec<Announced>) {
        let mut state = self.state();
        state.lists.hear(half, announced);
        state.publish_all();
    }

    /// Works out anew what is announced: the figures have changed.
    pub(super) fn refresh(&self) {
        self.change(|state| {
            for service in state.entries.refresh() {
                state.publish(&service);
            }
        });
    }

    /// Takes it as an answer, where it is time to, that nobody was found.
    ///
    /// Gives when to look again.
    pub(super) fn settle(&self) -> Option<Instant> {
        let mut state = self.state();
        if state.health.any_up() {
            for service in state.lists.take_impatient() {
                state.publish(&service);
            }
        }
        state.lists.patience_ends().filter(|_| state.health.any_up())
    }

    /// Gives the lists, if nothing else keeps the tasks.
    pub(super) fn only_lists(&self) -> Option<Vec<Arc<watch::Sender<Snapshot>>>> {
        let state = self.state();
        state.entries.is_empty().then(|| state.lists.senders())
    }

    /// Tells whether the caller is to start the task.
    pub(super) fn start(&self) -> bool {
        !std::mem::replace(&mut self.state().running, true)
    }

    /// Ends the task if there is nothing to do.
    pub(super) fn release(&self) -> bool {
        let mut state = self.state();
        let idle = state.entries.is_empty() && !state.lists.are_read();
        state.running &= !idle;
        idle
    }

    /// Notes that neither half does anything, not even fail; with `ended`, that no task is there.
    pub(super) fn reset(&self, ended: bool) {
        let mut guard = self.state();
        let state = &mut *guard;
        let go = if self.options.go_compatible { Health::Opening } else { Health::Off };
        *state.health.get_mut(Half::Rfc) = Health::Opening;
        *state.health.get_mut(Half::Go) = go;
        state.entries.sweep(&state.health);
        if ended {
            state.running = false;
        }
    }
}

impl State {
    fn publish(&mut self, service: &str) {
        self.lists.publish(service, self.entries.instances(service));
    }

    fn publish_all(&mut self) {
        for service in self.lists.services() {
            self.publish(&service);
        }
    }
}
