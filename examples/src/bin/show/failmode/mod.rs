//! What a call does when a server fails.

pub(crate) mod failbackup;
pub(crate) mod failfast;
pub(crate) mod failover;
pub(crate) mod failtry;
pub(crate) mod idempotent;

use std::sync::{Arc, Mutex, PoisonError};

use rpcx::client::interceptor::{Incoming, Interceptor, Next, Outgoing};

/// Writes down what becomes of each attempt of a call; clones share the list.
#[derive(Clone, Default)]
struct Attempts(Arc<Mutex<Vec<String>>>);

impl Interceptor for Attempts {
    async fn attempt(&self, request: Outgoing, next: Next<'_>) -> rpcx::Result<Incoming> {
        let server = request.address().map(ToString::to_string).unwrap_or_default();
        let result = next.run(request).await;
        let outcome = match &result {
            Ok(_) => "answered".to_owned(),
            Err(error) => error.to_string(),
        };
        self.list().push(format!("{server}: {outcome}"));
        result
    }
}

impl Attempts {
    /// Prints the attempts since the last time, and gives them.
    fn report(&self) -> Vec<String> {
        let attempts = std::mem::take(&mut *self.list());
        for (number, attempt) in attempts.iter().enumerate() {
            println!("  attempt {} at {attempt}", number + 1);
        }
        attempts
    }

    fn list(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
