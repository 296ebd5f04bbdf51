//! One connection to a server, shared by all calls that are on their way.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;
use tokio::task::AbortHandle;

use super::health::Health;
use super::pending::{Outcome, Pending};
use super::settings::ChannelSettings;
use super::{heartbeat, idle, reader, writer};
use crate::address::Address;
use crate::error::{Error, Executed};
use crate::protocol::{Header, Message, Output, Peer};
use crate::transport::{Duplex, WriteHalf, poll_write_all};

/// One connection to a server.
///
/// Two tasks serve it, a reader and a writer, and a third if heartbeats are on; they end with it.
pub(super) struct Connection {
    address: Address,
    settings: Arc<ChannelSettings>,
    state: Mutex<State>,
    /// Wakes the writer's task.
    pub(super) queued: Notify,
    /// Wakes callers that found the connection full.
    room: Arc<Notify>,
    tasks: Mutex<Vec<AbortHandle>>,
    /// A call has blamed the server for the loss of this connection.
    blamed: AtomicBool,
    health: Arc<Health>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) output: Output,
    /// The socket, while the writer's task does not hold it.
    pub(super) socket: Option<WriteHalf>,
    /// The writer's task is awake and will take the output.
    pub(super) writing: bool,
    pending: Pending,
    /// One-way calls that wait for the socket to take them: where they end, and who they are.
    unsent: std::collections::VecDeque<(u64, u64)>,
    /// Bytes that were ever put into `output`.
    accepted: u64,
    /// Calls that were ever put on their way.
    calls: u64,
    /// Bytes of those accepted that may have been given to the socket.
    given: u64,
    /// Callers that wait for room.
    crowd: usize,
    /// The server has shown that it is a peer of this crate.
    is_peer: bool,
    /// The server is about to stop: it is to get no further call.
    leaving: bool,
    closed: Option<Loss>,
}

/// What is put on its way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// A call that waits for its reply.
    Call,
    /// A call that is over when the socket has taken it.
    Oneway,
    /// A question for a sign of life: it waits for its answer, but for no place among the calls.
    Heartbeat,
}

/// Why a connection ended.
#[derive(Clone, Debug)]
pub(super) enum Loss {
    /// The other side closed it, it broke, or this side closed it.
    Closed,
    /// The other side sent what is no message.
    Protocol(String),
    /// The first that the other side said is that it does not serve this client, and so ran nothing of it.
    Refused(String),
}

/// What [`Connection::begin`] gives.
pub(super) enum Begun {
    /// The call waits for its outcome.
    Waiting(Ticket),
    /// The socket took the one-way call.
    Sent,
    /// Too much is on its way already: try again when this is ready.
    Full(Pin<Box<OwnedNotified>>),
    /// The connection has ended: nothing was sent.
    Closed,
}

impl Connection {
    pub(super) fn open(
        duplex: Duplex,
        address: Address,
        settings: Arc<ChannelSettings>,
        health: Arc<Health>,
    ) -> Arc<Self> {
        let connection = Arc::new(Self {
            address,
            settings,
            state: Mutex::new(State { socket: Some(duplex.writer), ..State::default() }),
            queued: Notify::new(),
            room: Arc::default(),
            tasks: Mutex::default(),
            blamed: AtomicBool::new(false),
            health,
        });
        #[cfg(feature = "metrics")]
        if connection.settings.counts() {
            super::counting::connected(&connection.address);
        }
        let mut tasks = vec![
            tokio::spawn(reader::run(Guard(Arc::clone(&connection)), duplex.reader)).abort_handle(),
            tokio::spawn(writer::run(Guard(Arc::clone(&connection)))).abort_handle(),
        ];
        if let Some(timeout) = connection.settings.idle_timeout {
            tasks.push(tokio::spawn(idle::run(Arc::clone(&connection), timeout)).abort_handle());
        }
        if let Some(heartbeat) = connection.settings.heartbeat.at_once() {
            let task = heartbeat::run(Arc::clone(&connection), heartbeat);
            tasks.push(tokio::spawn(task).abort_handle());
        }
        *connection.tasks.lock().unwrap_or_else(PoisonError::into_inner) = tasks;
        if connection.is_closed() {
            // A task met the end before it was in the list.
            connection.end_tasks();
        }
        connection
    }

    /// Gives the address of the server.
    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    pub(super) fn settings(&self) -> &ChannelSettings {
        &self.settings
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells whether no further call can be made on it.
    pub(super) fn is_closed(&self) -> bool {
        let state = self.state();
        state.closed.is_some() || state.leaving
    }

    /// Counts the calls that wait for their replies.
    pub(super) fn pending(&self) -> usize {
        self.state().pending.waiting()
    }

    /// Notes that the server is about to stop: calls that wait get their replies, others go elsewhere.
    pub(super) fn leave(&self) {
        let mut state = self.state();
        state.leaving = true;
        let room = state.take_crowd(usize::MAX);
        let idle = state.pending.waiting() == 0;
        drop(state);
        tracing::debug!(address = %self.address, "the server is about to stop");
        self.health.leaves();
        self.let_in(room);
        if idle {
            self.lose(Loss::Closed);
        }
    }

    /// Gives the caller its turn to begin a call: if it does not, the next one may.
    pub(super) fn turn(&self) -> Turn<'_> {
        Turn { connection: Some(self) }
    }

    /// Puts a message on its way. `write` appends it with the sequence number that it is given.
    ///
    /// A caller that is alone writes it to the socket at once; otherwise the writer's task takes it
    /// together with those of the other callers.
    pub(super) fn begin(
        self: &Arc<Self>,
        mut turn: Turn<'_>,
        cx: &mut Context<'_>,
        kind: Kind,
        write: impl FnOnce(u64, &mut Output) -> Result<(), Error>,
    ) -> Result<Begun, Error> {
        // Dropped after the lock: a socket may panic.
        let ticket;
        let mut state = self.state();
        if state.closed.is_some() || (state.leaving && kind != Kind::Heartbeat) {
            turn.end();
            return Ok(Begun::Closed);
        }
        if kind != Kind::Heartbeat && state.is_full(self.settings.in_flight) {
            turn.end();
            // Listed before the lock is released, so that no freed place is missed.
            state.crowd += 1;
            let mut room = Box::pin(Arc::clone(&self.room).notified_owned());
            room.as_mut().enable();
            return Ok(Begun::Full(room));
        }
        let seq = state.pending.next();
        let before = state.output.len();
        write(seq, &mut state.output)?;
        let start = state.accepted;
        state.accepted += (state.output.len() - before) as u64;
        state.calls += u64::from(kind != Kind::Heartbeat);
        state.pending.insert(cx.waker().clone(), start);
        turn.end();
        let oneway = kind == Kind::Oneway;
        ticket = Ticket { connection: Arc::clone(self), seq, over: false };
        if before == 0 && !state.writing && state.pending.waiting() == 1 {
            match state.write_at_once(cx) {
                Poll::Ready(Ok(())) if oneway => {
                    drop(state);
                    drop(ticket);
                    return Ok(Begun::Sent);
                }
                Poll::Ready(Ok(())) => return Ok(Begun::Waiting(ticket)),
                Poll::Ready(Err(_)) => {
                    drop(state);
                    self.lose(Loss::Closed);
                    return Ok(Begun::Waiting(ticket));
                }
                Poll::Pending => {}
            }
        }
        if oneway {
            let end = state.accepted;
            state.unsent.push_back((end, seq));
        }
        let asleep = !std::mem::replace(&mut state.writing, true);
        drop(state);
        if asleep {
            self.queued.notify_one();
        }
        Ok(Begun::Waiting(ticket))
    }

    /// Hands replies to the calls that wait for them.
    pub(super) fn deliver(self: &Arc<Self>, replies: &mut Vec<Message>) {
        if replies.is_empty() {
            return;
        }
        let mut wakers = Vec::with_capacity(replies.len());
        let mut state = self.state();
        let was_peer = state.is_peer;
        for reply in replies.drain(..) {
            state.is_peer |= reply.header().peer() == Some(Peer::Server);
            let seq = reply.header().seq();
            wakers.extend(state.pending.complete(seq, Outcome::Reply(reply)));
        }
        let room = state.take_crowd(wakers.len());
        let is_over = state.leaving && state.pending.waiting() == 0;
        let is_new_peer = state.is_peer && !was_peer;
        drop(state);
        if is_new_peer {
            self.begin_heartbeats();
        }
        self.let_in(room);
        wakers.into_iter().for_each(std::task::Waker::wake);
        if is_over {
            self.lose(Loss::Closed);
        }
    }

    /// Asks a server for signs of life that has shown that it is a peer.
    fn begin_heartbeats(self: &Arc<Self>) {
        let Some(heartbeat) = self.settings.heartbeat.of_peer() else { return };
        let task = tokio::spawn(heartbeat::run(Arc::clone(self), heartbeat)).abort_handle();
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.push(task);
    }

    /// Notes that the socket has taken everything up to byte `end`.
    pub(super) fn sent(&self, end: u64) {
        let mut state = self.state();
        let mut wakers = Vec::new();
        while let Some(&(at, seq)) = state.unsent.front() {
            if at > end {
                break;
            }
            state.unsent.pop_front();
            wakers.extend(state.pending.complete(seq, Outcome::Sent));
        }
        // The queue is shorter now, so one more may find room even if no call ended.
        let full = state.is_full(self.settings.in_flight);
        let room = if full { 0 } else { state.take_crowd(wakers.len().max(1)) };
        drop(state);
        self.let_in(room);
        wakers.into_iter().for_each(std::task::Waker::wake);
    }

    /// Ends the connection; every call that waits learns of it.
    pub(super) fn lose(&self, loss: Loss) {
        let mut state = self.state();
        if state.closed.is_some() {
            return;
        }
        tracing::debug!(address = %self.address, ?loss, "connection ended");
        let is_refusal = matches!(loss, Loss::Refused(_));
        state.closed = Some(loss);
        let given = state.given;
        let wakers = state.pending.lose_all(given);
        let is_severed = !wakers.is_empty() && !is_refusal;
        let room = state.take_crowd(usize::MAX);
        let socket = state.socket.take();
        state.output = Output::new();
        drop(state);
        drop(socket);
        if is_severed {
            self.health.severed();
        }
        self.let_in(room);
        wakers.into_iter().for_each(std::task::Waker::wake);
        #[cfg(feature = "metrics")]
        if self.settings.counts() {
            super::counting::disconnected(&self.address);
        }
        for interceptor in &self.settings.interceptors.0 {
            interceptor.disconnected(&self.address);
        }
        self.end_tasks();
    }

    fn end_tasks(&self) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.drain(..).for_each(|task| task.abort());
    }

    fn let_in(&self, callers: usize) {
        for _ in 0..callers {
            self.room.notify_one();
        }
    }

    fn lost_error(&self, given: bool) -> Error {
        match self.state().closed.clone() {
            Some(Loss::Protocol(what)) if given => Error::Protocol(what),
            Some(Loss::Refused(why)) => {
                let source = std::io::Error::new(std::io::ErrorKind::ConnectionRefused, why);
                Error::Connect { address: self.address.clone(), source }
            }
            _ => Error::ConnectionLost {
                address: self.address.clone(),
                executed: if given { Executed::Maybe } else { Executed::No },
            },
        }
    }
}

impl State {
    pub(super) fn is_closed(&self) -> bool {
        self.closed.is_some()
    }

    /// Counts the calls that were ever put on their way, and tells whether none waits for its outcome.
    pub(super) fn activity(&self) -> (u64, bool) {
        (self.calls, self.pending.waiting() == 0)
    }

    /// Tells the server that nobody waits for a call any more; tells whether the writer is to be woken.
    fn cancel(&mut self, seq: u64) -> bool {
        if self.closed.is_some() || self.output.len() > QUEUE {
            return false;
        }
        let before = self.output.len();
        self.output.frame(Header::cancel(seq), b"", b"", [], b"");
        self.accepted += (self.output.len() - before) as u64;
        !std::mem::replace(&mut self.writing, true)
    }

    fn is_full(&self, in_flight: usize) -> bool {
        self.pending.waiting() >= in_flight || self.output.len() > QUEUE
    }

    /// Writes without the help of the writer's task, which is asleep.
    fn write_at_once(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let Some(socket) = self.socket.as_mut() else { return Poll::Pending };
        let written = poll_write_all(socket, &mut self.output, cx);
        // What is left was not given to the socket, also if the write failed.
        self.given = self.accepted - self.output.len() as u64;
        written
    }

    /// Takes the output for the writer's task; gives the byte where it ends.
    pub(super) fn take_output(&mut self, into: &mut Output) -> u64 {
        std::mem::swap(&mut self.output, into);
        self.given = self.accepted;
        self.accepted
    }

    /// Notes that the bytes up to `end` may be given to the socket from now on.
    pub(super) fn may_be_given(&mut self, end: u64) {
        self.given = self.given.max(end);
    }

    /// Notes that the last `left` of the bytes up to `end` were not given to the socket.
    pub(super) fn not_given(&mut self, end: u64, left: usize) {
        self.given = self.given.min(end - left as u64);
    }

    fn take_crowd(&mut self, at_most: usize) -> usize {
        let some = self.crowd.min(at_most);
        self.crowd -= some;
        some
    }
}

/// A caller's turn to begin a call.
///
/// A caller that waited for room was woken alone. If it fails before it takes its place, dropping
/// this wakes the next one.
pub(super) struct Turn<'a> {
    connection: Option<&'a Connection>,
}

impl Turn<'_> {
    fn end(&mut self) {
        self.connection = None;
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let Some(connection) = self.connection else { return };
        let mut state = connection.state();
        let full = state.is_full(connection.settings.in_flight);
        let room = if full { 0 } else { state.take_crowd(1) };
        drop(state);
        connection.let_in(room);
    }
}

/// A place among the pending calls; dropping it gives the place up.
pub(super) struct Ticket {
    connection: Arc<Connection>,
    seq: u64,
    /// The place was given up already, with its outcome.
    over: bool,
}

impl Ticket {
    /// Waits for the reply; `None` is a one-way call that the socket took.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Message>, Error>> {
        if self.over {
            return Poll::Pending;
        }
        let outcome = self.connection.state().pending.take(self.seq, cx.waker());
        self.over = outcome.is_some();
        match outcome {
            None => Poll::Pending,
            Some(Outcome::Reply(message)) => Poll::Ready(Ok(Some(message))),
            Some(Outcome::Sent) => Poll::Ready(Ok(None)),
            Some(Outcome::Lost { given }) => Poll::Ready(Err(self.connection.lost_error(given))),
        }
    }
}

impl Ticket {
    /// Tells, to one of the calls that were lost with their connection, that it is the first.
    pub(super) fn is_first_to_blame(&self) -> bool {
        !self.connection.blamed.swap(true, Ordering::Relaxed)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        let mut state = self.connection.state();
        let given_up = state.pending.forget(self.seq);
        let room = if given_up { state.take_crowd(1) } else { 0 };
        let asleep = given_up && state.is_peer && state.cancel(self.seq);
        drop(state);
        if asleep {
            self.connection.queued.notify_one();
        }
        self.connection.let_in(room);
    }
}

/// Ends the connection when a task that serves it is dropped: it panicked, or its runtime shut down
/// before the callers'.
pub(super) struct Guard(pub(super) Arc<Connection>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.lose(Loss::Closed);
    }
}

/// How many bytes may wait for the socket before callers wait.
const QUEUE: usize = 4 << 20;
