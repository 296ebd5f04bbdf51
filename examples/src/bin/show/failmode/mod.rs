//! What a call does when a server fails.

pub(crate) mod failbackup;
pub(crate) mod failfast;
pub(crate) mod failover;
pub(crate) mod failtry;
pub(crate) mod idempotent;

use std::sync::Arc;

use rpcx::client::interceptor::{Incoming, Interceptor, Next, Outgoing};
use tokio::sync::watch;

/// Writes down what becomes of each attempt of a call; clones share the list.
#[derive(Clone, Default)]
struct Attempts(Arc<watch::Sender<Vec<String>>>);

impl Interceptor for Attempts {
    async fn attempt(&self, request: Outgoing, next: Next<'_>) -> rpcx::Result<Incoming> {
        let server = request.address().map(ToString::to_string).unwrap_or_default();
        let result = next.run(request).await;
        let outcome = match &result {
            Ok(_) => "answered".to_owned(),
            Err(error) => error.to_string(),
        };
        self.0.send_modify(|attempts| attempts.push(format!("{server}: {outcome}")));
        result
    }
}

impl Attempts {
    /// Prints the attempts since the last time, and gives them.
    fn report(&self) -> Vec<String> {
        let attempts = self.0.send_replace(Vec::new());
        for (number, attempt) in attempts.iter().enumerate() {
            println!("  attempt {} at {attempt}", number + 1);
        }
        attempts
    }

    /// Waits for an attempt since the last report.
    async fn wait_for_one(&self) {
        // It fails if there is no sender, which there is.
        let _ = self.0.subscribe().wait_for(|attempts| !attempts.is_empty()).await;
    }
}
