//! What a server writes into a registry: itself, and how busy it is.

use std::fmt;
use std::sync::Arc;

use crate::instance::{Instance, InstanceMetadata};

/// What a server writes into a registry: itself, and how busy it is.
#[derive(Clone)]
pub struct Announcement {
    instance: Instance,
    load: Option<Arc<dyn Fn() -> Load + Send + Sync>>,
}

/// How busy a server is: means since it started, each a second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Load {
    /// Calls a second.
    pub calls: f64,
    /// New connections a second.
    pub connections: f64,
}

impl Announcement {
    /// Announces an instance; its entry is not refreshed with figures.
    pub fn new(instance: Instance) -> Self {
        Self { instance, load: None }
    }

    /// Writes what `load` gives into the entry at each update: `calls` and `connections`, in Go's
    /// form of two decimals.
    #[must_use]
    pub fn with_load(mut self, load: impl Fn() -> Load + Send + Sync + 'static) -> Self {
        self.load = Some(Arc::new(load));
        self
    }

    /// Leaves the figures out.
    pub(crate) fn without_load(mut self) -> Self {
        self.load = None;
        self
    }

    /// Gives the instance.
    pub fn instance(&self) -> &Instance {
        &self.instance
    }

    /// Gives the entry's value as it is first written.
    pub(crate) fn value(&self) -> String {
        self.filled_in(self.instance.metadata().clone()).to_string()
    }

    /// Gives the entry's value after `stored`, which an operator may have changed: only the figures
    /// are replaced. An entry that is gone starts again from what was announced.
    pub(crate) fn update(&self, stored: Option<&str>) -> String {
        match stored {
            None => self.value(),
            // Without figures there is nothing to change, not even the form.
            Some(stored) if self.load.is_none() => stored.to_owned(),
            Some(stored) => self.filled_in(InstanceMetadata::parse(stored)).to_string(),
        }
    }

    fn filled_in(&self, mut metadata: InstanceMetadata) -> InstanceMetadata {
        if let Some(load) = &self.load {
            let Load { calls, connections } = load();
            metadata.set("calls", format!("{calls:.2}"));
            metadata.set("connections", format!("{connections:.2}"));
        }
        metadata
    }
}

impl From<Instance> for Announcement {
    fn from(instance: Instance) -> Self {
        Self::new(instance)
    }
}

impl fmt::Debug for Announcement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Announcement").field("instance", &self.instance).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announcement() -> Announcement {
        let metadata = InstanceMetadata::parse("weight=5");
        let instance = Instance::new("tcp@h:1".parse().unwrap()).with_metadata(metadata);
        Announcement::new(instance).with_load(|| Load { calls: 1.234, connections: 0.5 })
    }

    #[test]
    fn figures_have_gos_form() {
        assert_eq!(announcement().value(), "calls=1.23&connections=0.50&weight=5");
    }

    #[test]
    fn an_operators_edit_survives_an_update() {
        let stored = "calls=9.99&connections=9.99&state=inactive&weight=7";
        let updated = announcement().update(Some(stored));
        assert_eq!(updated, "calls=1.23&connections=0.50&state=inactive&weight=7");
    }

    #[test]
    fn an_entry_that_is_gone_starts_again() {
        assert_eq!(announcement().update(None), announcement().value());
    }

    #[test]
    fn without_figures_nothing_is_rewritten() {
        let plain = Announcement::new(announcement().instance().clone());
        assert_eq!(plain.update(Some("a;b=%zz")), "a;b=%zz");
    }
}
