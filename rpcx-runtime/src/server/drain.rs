//! How a connection ends when its server stops.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::stop::Lifetime;

/// Watches for the end of the server, and then for the end of the calls on one connection.
///
/// Go rpcx 1.9.4 stops reading at once, and so loses the calls that are on their way. Here a connection goes
/// on being served until its client leaves, or until nothing has come for a while.
pub(super) struct Drain {
    stage: Stage,
    /// The next stage begins.
    next: Pin<Box<WaitForCancellationFutureOwned>>,
    told: bool,
    idle: Option<Pin<Box<Sleep>>>,
    /// Calls that were running when it began, or came later.
    calls: u64,
    /// Those of them that did not run, or not to their end.
    given_up: u64,
    ended: bool,
}

/// How far the end has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stage {
    /// The server serves.
    Serving,
    /// What still comes is served.
    Draining,
    /// Nothing more is taken.
    LastCall,
}

impl Drain {
    pub(super) fn new(lifetime: &Lifetime) -> Self {
        Self {
            stage: Stage::Serving,
            next: Box::pin(lifetime.drain.clone().cancelled_owned()),
            told: false,
            idle: None,
            calls: 0,
            given_up: 0,
            ended: false,
        }
    }

    /// Looks whether the server stops; `running` counts the calls that run. That takes locks which all connections
    /// share: once a wake-up will do.
    pub(super) fn poll(&mut self, lifetime: &Lifetime, running: usize, cx: &mut Context<'_>) {
        while self.stage != Stage::LastCall && self.next.as_mut().poll(cx).is_ready() {
            self.stage = match self.stage {
                Stage::Serving => {
                    self.calls = running as u64;
                    self.next = Box::pin(lifetime.last_call.clone().cancelled_owned());
                    Stage::Draining
                }
                Stage::Draining | Stage::LastCall => Stage::LastCall,
            };
        }
    }

    /// Tells whether the server stops, as far as looked.
    pub(super) fn has_begun(&self) -> bool {
        self.stage != Stage::Serving
    }

    /// Tells whether no further call is taken.
    pub(super) fn is_last_call(&self) -> bool {
        self.stage == Stage::LastCall
    }

    /// Notes that the connection has ended by itself.
    pub(super) fn note_end(&mut self) {
        self.ended = true;
    }

    /// Tells whether the connection has ended by itself.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Counts the calls that ran to their end, if those that run now are cut.
    pub(super) fn served(&self, running: usize) -> u64 {
        self.calls.saturating_sub(self.given_up + running as u64)
    }

    /// Tells whether the client is still to be told, which happens once.
    pub(super) fn is_to_tell(&mut self) -> bool {
        !std::mem::replace(&mut self.told, true)
    }

    /// Notes that calls came.
    pub(super) fn note_calls(&mut self, calls: u64) {
        self.idle = None;
        if self.has_begun() {
            self.calls += calls;
        }
    }

    /// Notes that a call which came does not run to its end.
    pub(super) fn note_given_up(&mut self) {
        if self.has_begun() {
            self.given_up += 1;
        }
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
