//! How a connection ends when its server stops.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Watches for the end of the server, and then for the end of the calls on one connection.
///
/// Go rpcx 1.9.4 stops reading at once, and so loses the calls that are on their way. Here a connection goes
/// on being served until its client leaves, or until nothing has come for a while.
pub(super) struct Drain {
    begun: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    told: bool,
    idle: Option<Pin<Box<Sleep>>>,
}

impl Drain {
    pub(super) fn new(token: &CancellationToken) -> Self {
        Self { begun: Some(Box::pin(token.clone().cancelled_owned())), told: false, idle: None }
    }

    /// Looks whether the server stops. That takes locks which all connections share: once a wake-up will do.
    pub(super) fn poll_begun(&mut self, cx: &mut Context<'_>) {
        if self.begun.as_mut().is_some_and(|begun| begun.as_mut().poll(cx).is_ready()) {
            self.begun = None;
        }
    }

    /// Tells whether the server stops, as far as looked.
    pub(super) fn has_begun(&self) -> bool {
        self.begun.is_none()
    }

    /// Tells whether the client is still to be told, which happens once.
    pub(super) fn is_to_tell(&mut self) -> bool {
        !std::mem::replace(&mut self.told, true)
    }

    /// Notes that a call came.
    pub(super) fn note_call(&mut self) {
        self.idle = None;
    }

    /// Is ready when the connection has been idle long enough.
    pub(super) fn poll_idle(&mut self, is_idle: bool, cx: &mut Context<'_>) -> Poll<()> {
        if !is_idle {
            self.idle = None;
            return Poll::Pending;
        }
        let end = || Box::pin(tokio::time::sleep_until(Instant::now() + IDLE));
        self.idle.get_or_insert_with(end).as_mut().poll(cx)
    }
}

/// How long nothing may come before a connection of a stopping server is closed.
const IDLE: Duration = Duration::from_millis(500);
