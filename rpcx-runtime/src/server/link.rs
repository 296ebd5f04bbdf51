//! What a connection's task and its handlers share.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use super::bound::Parts;
use crate::outlet::{MessageSettings, Outlet};
use crate::protocol::Output;

/// What a connection's task and its handlers share: the answers that wait to leave.
pub(super) struct Link {
    state: Mutex<State>,
    parts: Arc<Parts>,
    peer: Option<SocketAddr>,
    pushes: AtomicU64,
}

#[derive(Default)]
struct State {
    output: Output,
    /// The connection's task, while it sleeps.
    sleeper: Option<Waker>,
    /// No further request is to be read.
    closing: bool,
    /// Nothing leaves any more.
    closed: bool,
    /// One-way calls that run.
    oneway: usize,
    /// Something other than an answer came while the connection's task was awake.
    news: bool,
}

impl State {
    /// Gives what wakes the connection's task, or lets it see the news before it sleeps.
    fn announce(&mut self) -> Option<Waker> {
        self.news = true;
        self.sleeper.take()
    }
}

impl Link {
    pub(super) fn new(parts: Arc<Parts>, peer: Option<SocketAddr>) -> Self {
        Self { state: Mutex::default(), parts, peer, pushes: AtomicU64::new(0) }
    }

    pub(super) fn parts(&self) -> &Arc<Parts> {
        &self.parts
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that the connection's task runs: answers need not wake it.
    pub(super) fn wake_up(&self) {
        let mut state = self.state();
        state.sleeper = None;
        state.news = false;
    }

    /// Lets the connection's task sleep, unless there is news, or answers that it could send.
    pub(super) fn sleep(&self, can_send: bool, cx: &Context<'_>) -> bool {
        let mut state = self.state();
        if std::mem::take(&mut state.news) || (can_send && !state.output.is_empty()) {
            return false;
        }
        state.sleeper = Some(cx.waker().clone());
        true
    }

    /// Takes the answers that wait.
    pub(super) fn take_output(&self, into: &mut Output) {
        std::mem::swap(&mut self.state().output, into);
    }

    pub(super) fn is_closing(&self) -> bool {
        self.state().closing
    }

    /// Drops the answers that wait, and those to come.
    pub(super) fn shut(&self) {
        let mut state = self.state();
        state.closed = true;
        state.output = Output::new();
    }

    pub(super) fn oneway_calls(&self) -> usize {
        self.state().oneway
    }

    /// Counts a one-way call until the guard is dropped.
    pub(super) fn begin_oneway(self: &Arc<Self>) -> OnewayGuard {
        self.state().oneway += 1;
        OnewayGuard(Arc::clone(self))
    }
}

/// A one-way call that runs.
pub(super) struct OnewayGuard(Arc<Link>);

impl Drop for OnewayGuard {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.oneway -= 1;
        let sleeper = state.announce();
        drop(state);
        if let Some(sleeper) = sleeper {
            sleeper.wake();
        }
    }
}

impl Outlet for Link {
    fn write(&self, write: &mut dyn FnMut(&mut Output)) -> bool {
        let mut state = self.state();
        if state.closed {
            return false;
        }
        write(&mut state.output);
        let sleeper = state.sleeper.take();
        drop(state);
        if let Some(sleeper) = sleeper {
            sleeper.wake();
        }
        true
    }

    fn queued(&self) -> usize {
        self.state().output.len()
    }

    fn close(&self) {
        let mut state = self.state();
        state.closing = true;
        let sleeper = state.announce();
        drop(state);
        if let Some(sleeper) = sleeper {
            sleeper.wake();
        }
    }

    fn next_push(&self) -> u64 {
        self.pushes.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn settings(&self) -> &MessageSettings {
        &self.parts.settings.messages
    }

    fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }
}
