//! Values that travel with a call inside one process.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What those who take part in one call tell each other: at most one value of each type.
///
/// At a client these are its [interceptors](crate::client::interceptor), at a server
/// [interceptors](crate::server::interceptor) and the handler. Nothing of it is sent to the other side.
///
/// Clones share the values: what is put in around the call is there around its attempts, and the
/// other way round.
#[derive(Clone, Default)]
pub struct Extensions {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    values: Mutex<Values>,
    /// At a server: the call went to the service.
    begun: AtomicBool,
}

type Values = HashMap<TypeId, Box<dyn Any + Send>>;

impl Extensions {
    /// Puts a value in; gives the one that was there.
    pub fn insert<T: Send + 'static>(&self, value: T) -> Option<T> {
        let last = self.values().insert(TypeId::of::<T>(), Box::new(value))?;
        last.downcast().ok().map(|last| *last)
    }

    /// Gives a copy of the value of a type.
    pub fn get<T: Clone + Send + 'static>(&self) -> Option<T> {
        self.values().get(&TypeId::of::<T>())?.downcast_ref().cloned()
    }

    /// Takes the value of a type out.
    pub fn remove<T: Send + 'static>(&self) -> Option<T> {
        let value = self.values().remove(&TypeId::of::<T>())?;
        value.downcast().ok().map(|value| *value)
    }

    /// Notes that the call goes to the service.
    pub(crate) fn note_begun(&self) {
        self.shared.begun.store(true, Ordering::Release);
    }

    /// Tells whether the call went to the service, perhaps more than once.
    pub(crate) fn has_begun(&self) -> bool {
        self.shared.begun.load(Ordering::Acquire)
    }

    fn values(&self) -> MutexGuard<'_, Values> {
        self.shared.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Extensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Extensions").finish_non_exhaustive()
    }
}
