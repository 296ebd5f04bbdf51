//! The task that closes a connection which nobody uses.

use std::sync::Arc;
use std::time::Duration;

use super::connection::{Connection, Loss};

/// Looks once per `timeout` whether there was a call since the last look; ends the connection if not.
///
/// Heartbeats are no calls: they do not keep a connection that nobody uses.
pub(super) async fn run(connection: Arc<Connection>, timeout: Duration) {
    let mut last = None;
    loop {
        let (sent, is_idle) = connection.state().activity();
        if is_idle && last == Some(sent) {
            tracing::debug!(address = %connection.address(), "closed after a time without calls");
            return connection.lose(Loss::Closed);
        }
        last = Some(sent);
        tokio::time::sleep(timeout).await;
    }
}
