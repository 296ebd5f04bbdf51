//! Values that travel with a call inside one process.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// What those who take part in one call tell each other: at most one value of each type.
///
/// At a client these are its [interceptors](crate::client::interceptor), at a server
/// [interceptors](crate::server::interceptor) and the handler. Nothing of it is sent to the other side.
///
/// Clones share the values: what is put in around the call is there around its attempts, and the
/// other way round.
#[derive(Clone, Default)]
pub struct Extensions {
    values: Arc<Mutex<Values>>,
}

type Values = HashMap<TypeId, Box<dyn Any + Send>>;

impl Extensions {
    /// Puts a value in; gives the one that was there.
    pub fn insert<T: Send + 'static>(&self, value: T) -> Option<T> {
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        let last = values.insert(TypeId::of::<T>(), Box::new(value))?;
        last.downcast().ok().map(|last| *last)
    }

    /// Gives a copy of the value of a type.
    pub fn get<T: Clone + Send + 'static>(&self) -> Option<T> {
        let values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        values.get(&TypeId::of::<T>())?.downcast_ref().cloned()
    }

    /// Takes the value of a type out.
    pub fn remove<T: Send + 'static>(&self) -> Option<T> {
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        values.remove(&TypeId::of::<T>())?.downcast().ok().map(|value| *value)
    }
}

impl fmt::Debug for Extensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Extensions").finish_non_exhaustive()
    }
}
