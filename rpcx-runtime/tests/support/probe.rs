//! Lets a test see what handlers do, and tell them when to go on.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::soon;

/// What a handler that waits at a [`Gate`] does.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Event {
    /// It runs.
    Started(String),
    /// It was let through.
    Finished(String),
    /// It was dropped while it waited.
    Dropped(String),
}

impl Event {
    pub(crate) fn started(name: &str) -> Self {
        Self::Started(name.to_owned())
    }

    pub(crate) fn finished(name: &str) -> Self {
        Self::Finished(name.to_owned())
    }

    pub(crate) fn dropped(name: &str) -> Self {
        Self::Dropped(name.to_owned())
    }
}

/// The handlers' side.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    events: mpsc::UnboundedSender<Event>,
    open: watch::Receiver<BTreeSet<String>>,
}

/// The test's side.
#[derive(Debug)]
pub(crate) struct Probe {
    events: mpsc::UnboundedReceiver<Event>,
    open: watch::Sender<BTreeSet<String>>,
}

impl Probe {
    pub(crate) fn new() -> (Gate, Self) {
        let (sender, events) = mpsc::unbounded_channel();
        let (open, opened) = watch::channel(BTreeSet::new());
        (Gate { events: sender, open: opened }, Self { events, open })
    }

    /// Waits for the next event.
    pub(crate) async fn event(&mut self) -> Event {
        soon(self.events.recv()).await.expect("a handler may still come")
    }

    /// Gives the events that were there already.
    pub(crate) fn seen(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.events.try_recv().ok()).collect()
    }

    /// Lets the handlers of a name through.
    pub(crate) fn open(&self, name: &str) {
        self.open.send_modify(|open| {
            open.insert(name.to_owned());
        });
    }
}

impl Gate {
    /// Waits until the test opens the gate for `name`.
    pub(crate) async fn pass(&self, name: &str) {
        let mut visit = Visit { name: name.to_owned(), gate: self, finished: false };
        let _ = self.events.send(Event::started(name));
        let mut open = self.open.clone();
        if open.wait_for(|open| open.contains(name)).await.is_err() {
            // The test is over.
            std::future::pending::<()>().await;
        }
        visit.finished = true;
    }
}

/// A handler that waits.
struct Visit<'a> {
    name: String,
    gate: &'a Gate,
    finished: bool,
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        let name = std::mem::take(&mut self.name);
        let end = if self.finished { Event::Finished(name) } else { Event::Dropped(name) };
        let _ = self.gate.events.send(end);
    }
}
