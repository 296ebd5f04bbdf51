//! Sees what is traced, for tests.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Level, Metadata, Subscriber, span};

/// The events of this thread since this was made, the registries' own only.
pub(crate) struct Events {
    seen: Arc<Mutex<Vec<(Level, String)>>>,
    _guard: DefaultGuard,
}

impl Events {
    pub(crate) fn of_this_thread() -> Self {
        let seen = Arc::<Mutex<_>>::default();
        let guard = tracing::subscriber::set_default(Recorder(Arc::clone(&seen)));
        Self { seen, _guard: guard }
    }

    /// Gives the messages of a level, and forgets all.
    pub(crate) fn take(&self, level: Level) -> Vec<String> {
        let seen = std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner));
        seen.into_iter().filter(|(of, _)| *of == level).map(|(_, message)| message).collect()
    }
}

struct Recorder(Arc<Mutex<Vec<(Level, String)>>>);

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("rpcx::registry")
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut message = Message(String::new());
        event.record(&mut message);
        let level = *event.metadata().level();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((level, message.0));
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}
