//! What a connection's task and its handlers share.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};
#[cfg(not(all(test, rpcx_loom)))]
use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
};
use std::task::{Context, Waker};

#[cfg(all(test, rpcx_loom))]
use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
};

use super::bound::Parts;
use super::budget;
use super::interceptor::ConnectionInfo;
use crate::outlet::{MessageSettings, Outlet};
use crate::protocol::{Header, Output, Peer};
#[cfg(feature = "tls")]
use crate::tls::PeerIdentity;

/// What a connection's task and its handlers share: the answers that wait to leave.
///
/// What every request asks for is not behind the lock. Whoever changes it announces that, under the
/// lock, and so the connection's task does not miss it.
pub(super) struct Link {
    state: Mutex<State>,
    /// No further request is to be read.
    closing: AtomicBool,
    /// So many answers wait that no further request is to be taken.
    clogged: AtomicBool,
    /// One-way calls that run.
    oneway: AtomicUsize,
    /// Bytes of large requests whose calls run.
    large: AtomicUsize,
    /// What the server's budget was told that this connection holds.
    charged: AtomicUsize,
    parts: Arc<Parts>,
    connection: ConnectionInfo,
    pushes: AtomicU64,
    /// The client has shown that it is a peer of this crate.
    is_peer: AtomicBool,
}

#[derive(Default)]
struct State {
    output: Output,
    /// The connection's task, while it sleeps.
    sleeper: Option<Waker>,
    /// Nothing leaves any more.
    closed: bool,
    /// Something other than an answer came while the connection's task was awake.
    news: bool,
}

impl Link {
    pub(super) fn new(parts: Arc<Parts>, connection: ConnectionInfo) -> Self {
        Self {
            state: Mutex::default(),
            closing: AtomicBool::new(false),
            clogged: AtomicBool::new(false),
            oneway: AtomicUsize::new(0),
            large: AtomicUsize::new(0),
            charged: AtomicUsize::new(0),
            parts,
            connection,
            pushes: AtomicU64::new(0),
            is_peer: AtomicBool::new(false),
        }
    }

    /// Notes what a request tells of its client.
    pub(super) fn note_peer(&self, request: Header) {
        if request.peer() == Some(Peer::Client) {
            self.is_peer.store(true, Ordering::Relaxed);
        }
    }

    /// Tells whether the client is a peer of this crate.
    pub(super) fn is_peer(&self) -> bool {
        self.is_peer.load(Ordering::Relaxed)
    }

    pub(super) fn connection(&self) -> &ConnectionInfo {
        &self.connection
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
        let mut state = self.state();
        std::mem::swap(&mut state.output, into);
        if self.is_clogged() {
            self.clogged.store(false, Ordering::Relaxed);
        }
    }

    /// Tells whether so many answers wait that no further request is to be taken.
    pub(super) fn is_clogged(&self) -> bool {
        self.clogged.load(Ordering::Relaxed)
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    /// Drops the answers that wait, and those to come.
    pub(super) fn shut(&self) {
        let mut state = self.state();
        state.closed = true;
        state.output = Output::new();
        self.charge(0);
    }

    pub(super) fn oneway_calls(&self) -> usize {
        self.oneway.load(Ordering::Relaxed)
    }

    /// Wakes the connection's task, or lets it see the news before it sleeps.
    fn announce(&self) {
        let mut state = self.state();
        state.news = true;
        let sleeper = state.sleeper.take();
        drop(state);
        if let Some(sleeper) = sleeper {
            sleeper.wake();
        }
    }

    /// Counts a one-way call until the guard is dropped.
    pub(super) fn begin_oneway(self: &Arc<Self>) -> OnewayGuard {
        self.oneway.fetch_add(1, Ordering::Relaxed);
        OnewayGuard(Arc::clone(self))
    }

    /// Counts the bytes of a request, if they are many, until the guard is dropped. Of small ones only the
    /// number counts.
    pub(super) fn hold(self: &Arc<Self>, bytes: usize) -> Option<Held> {
        let bytes = bytes.checked_sub(budget::CALL + 1)? + 1;
        self.large.fetch_add(bytes, Ordering::Relaxed);
        Some(Held { link: Arc::clone(self), bytes })
    }

    /// Tells the server's budget what this connection holds: `bytes`, and what one-way calls and large
    /// requests hold, which may outlive the connection. Gives what it is together.
    pub(super) fn charge(&self, bytes: usize) -> usize {
        let oneway = self.oneway_calls() * budget::CALL;
        let held = bytes + oneway + self.large.load(Ordering::Relaxed);
        self.settle(budget::share(held));
        held
    }

    /// Notes that something is not held any more, if the connection's task does not do so itself.
    fn let_go(&self) {
        let state = self.state();
        if state.closed {
            self.charge(0);
        }
    }

    /// Called by the connection's task, and when that has ended by whoever has the lock, or the link.
    fn settle(&self, share: usize) {
        let before = self.charged.load(Ordering::Relaxed);
        if before != share {
            self.charged.store(share, Ordering::Relaxed);
            self.parts.budget.change(before, share);
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.settle(0);
    }
}

/// A large request whose call runs.
pub(super) struct Held {
    link: Arc<Link>,
    bytes: usize,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.link.large.fetch_sub(self.bytes, Ordering::Relaxed);
        self.link.let_go();
    }
}

/// A one-way call that runs.
pub(super) struct OnewayGuard(Arc<Link>);

impl Drop for OnewayGuard {
    fn drop(&mut self) {
        self.0.oneway.fetch_sub(1, Ordering::Relaxed);
        self.0.let_go();
        self.0.announce();
    }
}

impl Outlet for Link {
    fn write(&self, write: &mut dyn FnMut(&mut Output)) -> bool {
        let mut state = self.state();
        if state.closed {
            return false;
        }
        write(&mut state.output);
        if state.output.len() >= QUEUE {
            self.clogged.store(true, Ordering::Relaxed);
        }
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
        self.closing.store(true, Ordering::Relaxed);
        self.announce();
    }

    fn next_push(&self) -> u64 {
        self.pushes.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn settings(&self) -> &MessageSettings {
        &self.parts.settings.messages
    }

    fn peer(&self) -> Option<SocketAddr> {
        self.connection.peer()
    }

    #[cfg(feature = "tls")]
    fn peer_identity(&self) -> Option<&PeerIdentity> {
        self.connection.peer_identity()
    }
}

/// Bytes that may wait for a client before its requests wait too.
pub(super) const QUEUE: usize = 4 << 20;

/// What the connection's task and its handlers do, in every order that threads allow.
///
/// `RUSTFLAGS="--cfg rpcx_loom" cargo test -p rpcx-runtime --lib --release interleavings`
#[cfg(all(test, rpcx_loom))]
mod interleavings {
    use loom::thread;

    use super::*;
    use crate::server::budget::RequestBudget;
    use crate::server::builder::ServerSettings;
    use crate::server::load::LoadCounter;
    use crate::server::router::Router;

    fn link() -> Arc<Link> {
        let (router, settings) = (Router::default(), ServerSettings::default());
        // Whoever holds more than what is free uses it up.
        let budget = RequestBudget::new(1);
        let parts = Parts { router, settings, load: Arc::new(LoadCounter::new()), budget };
        Arc::new(Link::new(Arc::new(parts), ConnectionInfo::new(None)))
    }

    /// Does as the connection's task: looks, and sleeps if there is nothing to see. That it sleeps for ever is
    /// a failure.
    fn sleep_until(link: &Link, mut is_there: impl FnMut() -> bool) {
        loom::future::block_on(std::future::poll_fn(|cx| {
            link.wake_up();
            loop {
                if is_there() {
                    return std::task::Poll::Ready(());
                }
                if link.sleep(true, cx) {
                    return std::task::Poll::Pending;
                }
            }
        }));
    }

    fn answer(link: &Link, number: u64) -> bool {
        link.write(&mut |out| out.frame(Header::push(number), b"", b"", [], b""))
    }

    #[test]
    fn a_close_is_never_slept_through() {
        loom::model(|| {
            let link = link();
            let handler = Arc::clone(&link);
            let handler = thread::spawn(move || handler.close());
            sleep_until(&link, || link.is_closing());
            handler.join().unwrap();
        });
    }

    #[test]
    fn answers_of_two_handlers_both_leave() {
        loom::model(|| {
            let link = link();
            let handlers = [1, 2].map(|number| {
                let link = Arc::clone(&link);
                thread::spawn(move || assert!(answer(&link, number)))
            });
            let (mut batch, mut sent) = (Output::new(), 0);
            sleep_until(&link, || {
                link.take_output(&mut batch);
                sent += batch.len();
                batch = Output::new();
                sent == 2 * 32
            });
            for handler in handlers {
                handler.join().unwrap();
            }
        });
    }

    #[test]
    fn the_end_of_a_oneway_call_makes_room_and_is_noticed() {
        loom::model(|| {
            let link = link();
            let running = link.begin_oneway();
            let handler = thread::spawn(move || drop(running));
            sleep_until(&link, || link.oneway_calls() == 0);
            handler.join().unwrap();
        });
    }

    #[test]
    fn a_large_request_leaves_the_budget_before_and_after_its_connection() {
        loom::model(|| {
            let link = link();
            let held = link.hold(100_000);
            link.charge(0);
            assert!(link.parts().budget.is_exhausted());
            let handler = thread::spawn(move || drop(held));
            link.shut();
            handler.join().unwrap();
            assert!(!link.parts().budget.is_exhausted());
        });
    }

    #[test]
    fn nothing_is_kept_of_an_answer_that_comes_after_the_end() {
        loom::model(|| {
            let link = link();
            let late = Arc::clone(&link);
            let handler = thread::spawn(move || answer(&late, 1));
            link.shut();
            let _ = handler.join().unwrap();
            assert_eq!(link.queued(), 0);
            assert!(!answer(&link, 2));
        });
    }
}
