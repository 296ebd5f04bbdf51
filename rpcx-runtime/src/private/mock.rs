//! What the option `mock` generates uses of: closures that answer calls, and a list of the calls.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::BoxFuture;
use crate::error::Error;

/// A closure that answers a method; clones of the mock share it.
pub type Mocked<F> = Arc<Mutex<F>>;

/// What a closure gives.
pub enum Answer<T> {
    Now(T),
    Later(BoxFuture<'static, T>),
}

impl<T> Answer<T> {
    /// Waits for the result.
    pub async fn get(self) -> T {
        match self {
            Self::Now(result) => result,
            Self::Later(future) => future.await,
        }
    }
}

impl<T> fmt::Debug for Answer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").finish_non_exhaustive()
    }
}

/// Locks a closure for one call. One that panicked may be called again.
pub fn lock<F: ?Sized>(closure: &Mutex<F>) -> MutexGuard<'_, F> {
    closure.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The error of a method that has no closure.
pub fn unmocked(mock: &str, method: &str) -> Error {
    Error::service(format!("{mock} has no answer for `{method}`: give it one with `on_{method}`"))
}

/// The calls that a mock and its clones got.
#[derive(Clone, Default)]
pub struct MockCalls {
    methods: Arc<Mutex<Vec<&'static str>>>,
}

impl MockCalls {
    /// Notes a call.
    pub fn record(&self, method: &'static str) {
        lock(&self.methods).push(method);
    }

    /// Lists the calls so far.
    pub fn list(&self) -> Vec<&'static str> {
        lock(&self.methods).clone()
    }
}

impl fmt::Debug for MockCalls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.list()).finish()
    }
}
