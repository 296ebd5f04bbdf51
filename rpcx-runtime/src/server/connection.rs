//! One client's connection: requests in, answers out.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

use super::bound::Parts;
use super::budget;
use super::dispatch::{Run, dispatch, refuse};
use super::drain::Drain;
use super::interceptor::ConnectionInfo;
use super::link::{Held, Link, QUEUE};
use super::patience::Crowd;
use super::sending::Sending;
use super::stop::Lifetime;
use crate::outlet::Outlet as _;
use crate::protocol::{DecodeError, Header, Message};
use crate::service::Slot;
use crate::transport::{Duplex, Fill, FrameReader};

/// One client's connection.
///
/// A single task reads, starts handlers and writes; handlers that wait have tasks of their own,
/// which end with the connection.
pub(super) struct Connection {
    frames: FrameReader,
    sending: Sending,
    link: Arc<Link>,
    slot: Slot,
    handlers: JoinSet<u64>,
    /// The handlers whose callers may give up, by sequence number; of several with one number, the last.
    cancellable: HashMap<u64, AbortHandle>,
    /// A request that came when too many were running, or when there was too much of them.
    parked: Option<Message>,
    crowd: Crowd,
    /// The server holds as much as it may, and this connection is one of those that hold it.
    is_over: bool,
    /// Calls that were taken and not yet counted.
    calls: u64,
    reading: bool,
    /// A handler got a task that may keep this worker busy for long.
    spawned: bool,
    lifetime: Lifetime,
    drain: Drain,
}

impl Connection {
    pub(super) fn new(
        duplex: Duplex,
        info: ConnectionInfo,
        parts: Arc<Parts>,
        lifetime: Lifetime,
    ) -> Self {
        Self {
            frames: FrameReader::new(duplex.reader),
            sending: Sending::new(duplex.writer),
            link: Arc::new(Link::new(parts, info)),
            slot: Slot::default(),
            handlers: JoinSet::new(),
            cancellable: HashMap::new(),
            parked: None,
            crowd: Crowd::default(),
            is_over: false,
            calls: 0,
            reading: true,
            spawned: false,
            drain: Drain::new(&lifetime),
            lifetime,
        }
    }

    /// Takes in what has come, a bounded number of requests, and sends what is ready.
    fn turn(&mut self, cx: &mut Context<'_>) -> io::Result<Turn> {
        let mut budget = REQUESTS_A_TURN;
        loop {
            self.reap(cx);
            self.weigh(cx);
            let is_held_back = self.take_requests(&mut budget, cx);
            let calls = std::mem::take(&mut self.calls);
            if calls > 0 {
                self.link.parts().load.add_calls(calls);
                self.drain.note_calls(calls);
            }
            let sending = self.sending.poll(&self.link, cx)?;
            self.poll_drain(sending, cx);
            if self.is_finished(sending) {
                return Ok(Turn::Finished);
            }
            if budget == 0 {
                return Ok(Turn::More);
            }
            if is_held_back && sending.is_ready() {
                continue;
            }
            let filled = !is_held_back && self.may_read(sending, cx) && self.poll_fill(cx);
            if !filled && self.link.sleep(sending.is_ready(), cx) {
                return Ok(Turn::Wait);
            }
        }
    }

    /// Starts every request that is in the buffer; tells whether there may be others, for whose answers there is
    /// no room.
    fn take_requests(&mut self, budget: &mut usize, cx: &mut Context<'_>) -> bool {
        while *budget > 0 && !self.link.is_closing() {
            if self.is_clogged() {
                self.frames.pause();
                return true;
            }
            let parked = self.parked.take();
            let was_parked = parked.is_some();
            let message = match parked {
                Some(message) => message,
                None => match self.frames.next(&self.link.parts().settings.messages.limits) {
                    Ok(Some(message)) => message,
                    Ok(None) => return false,
                    Err(error) => {
                        self.give_up(&error);
                        return false;
                    }
                },
            };
            let header = message.header();
            let is_call = !header.is_heartbeat() && !header.is_cancel();
            let is_too_much = is_call && (self.is_full() || self.is_too_large(header));
            if is_too_much && self.crowd.poll(cx).is_pending() {
                self.parked = Some(message);
                return false;
            }
            if was_parked && !is_too_much {
                self.crowd.end();
            }
            *budget -= 1;
            self.calls += u64::from(is_call);
            if header.is_cancel() {
                self.cancel(header.seq());
                continue;
            }
            if is_too_much {
                let why = if self.is_full() { OVERLOADED } else { TOO_MUCH };
                self.refuse(message, why);
                self.drain.note_given_up();
                continue;
            }
            self.link.note_peer(header);
            let size = message.as_bytes().len();
            let run = dispatch(message, &self.link, &mut self.slot);
            if self.slot.is_filled() {
                self.run_handler(&run, size, cx);
            }
        }
        if self.link.is_closing() {
            self.reading = false;
            self.parked = None;
        }
        false
    }

    /// Tells whether enough waits for the client.
    fn is_clogged(&self) -> bool {
        self.link.is_clogged() || self.sending.len() >= QUEUE
    }

    /// Reads no further where no message can begin.
    fn give_up(&mut self, error: &DecodeError) {
        let what = match error {
            DecodeError::BadMagic(TLS_HANDSHAKE) => "TLS, which is not spoken here",
            _ => "no rpcx message",
        };
        tracing::debug!(peer = ?self.link.peer(), %error, "{what}");
        self.frames.discard();
        self.abandon();
    }

    /// Answers that a call is not run.
    fn refuse(&mut self, message: Message, why: &str) {
        if message.header().is_oneway() {
            tracing::debug!(peer = ?self.link.peer(), why, "a one-way call is dropped");
        }
        refuse(message, &self.link, why);
    }

    /// Tells the server how much this connection holds, and looks whether that is too much.
    fn weigh(&mut self, cx: &mut Context<'_>) {
        let parked = self.parked.as_ref().map_or(0, |message| message.as_bytes().len());
        let own = self.frames.len() + parked + self.handlers.len() * budget::CALL;
        let held = self.link.charge(own);
        let is_large = budget::share(held) > 0;
        let is_exhausted =
            (is_large || self.parked.is_some()) && self.link.parts().budget.is_exhausted();
        self.is_over = is_large && is_exhausted;
        if is_exhausted {
            self.crowd.look_again(cx);
        } else if !self.is_full() && self.parked.is_none() {
            self.crowd.end();
        }
    }

    /// Tells whether a call is too much for the server's budget.
    fn is_too_large(&self, header: Header) -> bool {
        // Those of connections that come and go would add up to any number.
        self.is_over || (header.is_oneway() && self.link.parts().budget.is_exhausted())
    }

    /// Lets handlers go that have ended.
    fn reap(&mut self, cx: &mut Context<'_>) {
        while let Poll::Ready(Some(ended)) = self.handlers.poll_join_next(cx) {
            match ended {
                Ok(_) if self.cancellable.is_empty() => {}
                Ok(seq) => self.forget(seq),
                // What a handler had left panicked as it was dropped.
                Err(error) if error.is_panic() => {
                    self.cancellable.retain(|_, handler| !handler.is_finished());
                }
                // It was cancelled, and so has no entry.
                Err(_) => self.drain.note_given_up(),
            }
        }
    }

    /// Takes a handler that has ended out of the list. One that has not ended is of a later call to which
    /// the client gave the same number.
    fn forget(&mut self, seq: u64) {
        if self.cancellable.get(&seq).is_some_and(AbortHandle::is_finished) {
            self.cancellable.remove(&seq);
        }
    }

    /// Drops the handler of a call whose caller has given it up.
    fn cancel(&mut self, seq: u64) {
        if let Some(handler) = self.cancellable.remove(&seq) {
            handler.abort();
        }
    }

    /// Polls the handler's future where it is; if it has to wait it gets a task.
    fn run_handler(&mut self, run: &Run, size: usize, cx: &mut Context<'_>) {
        if !run.spawn && self.slot.poll(cx).is_ready() {
            return;
        }
        self.spawned |= run.spawn;
        let handler = handle(self.slot.take(), run.deadline, self.link.hold(size));
        if run.oneway {
            // The caller may be gone by now: the call runs all the same.
            let running = self.link.begin_oneway();
            let end = self.lifetime.end.clone();
            self.lifetime.oneway.spawn(async move {
                end.run_until_cancelled_owned(handler).await;
                drop(running);
            });
        } else {
            let seq = run.seq;
            let task = self.handlers.spawn(async move {
                handler.await;
                seq
            });
            if run.cancellable {
                self.cancellable.insert(seq, task);
            }
        }
    }

    /// Counts the calls that are answered when they end.
    fn running(&self) -> usize {
        self.handlers.len() + usize::from(self.parked.is_some())
    }

    fn is_full(&self) -> bool {
        let running = self.handlers.len() + self.link.oneway_calls();
        running >= self.link.parts().settings.in_flight
    }

    /// Tells whether a read makes sense: there is room for what it may bring.
    fn may_read(&mut self, sending: Poll<()>, cx: &mut Context<'_>) -> bool {
        let queued = self.sending.len() + self.link.queued();
        let may = self.reading
            && self.parked.is_none()
            && (sending.is_ready() || queued < QUEUE)
            && (!self.is_over || self.has_waited_for_others(cx));
        if !may {
            self.frames.pause();
        }
        may
    }

    /// Tells whether others have had their time to let go of what they hold. Then the connection is read
    /// on, and refuses what comes, so that heartbeats are answered.
    fn has_waited_for_others(&mut self, cx: &mut Context<'_>) -> bool {
        if self.crowd.poll(cx).is_pending() {
            return false;
        }
        if let Some(header) = self.frames.skip_message()
            && !header.is_heartbeat()
        {
            self.refuse(Message::bare(header), TOO_MUCH);
        }
        true
    }

    /// Reads once; tells whether there is something new.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> bool {
        self.frames.keep_buffer(!self.handlers.is_empty() || self.link.oneway_calls() > 0);
        match self.frames.poll_fill(cx) {
            Poll::Ready(Ok(Fill::Bytes)) => true,
            Poll::Ready(ended) => {
                if let Err(error) = ended {
                    tracing::debug!(peer = ?self.link.peer(), %error, "reading failed");
                }
                self.abandon();
                true
            }
            Poll::Pending => false,
        }
    }

    /// Stops reading and drops the handlers: nobody waits for them. What is ready still leaves.
    fn abandon(&mut self) {
        self.reading = false;
        self.handlers.abort_all();
    }

    fn is_finished(&self, sending: Poll<()>) -> bool {
        !self.reading && self.is_idle(sending)
    }

    fn is_idle(&self, sending: Poll<()>) -> bool {
        let idle = self.handlers.is_empty() && self.parked.is_none();
        idle && sending.is_ready() && self.link.queued() == 0
    }

    /// Once the server stops: tells a client that understands it, and stops reading when nothing
    /// has come for a while. Until then all is served.
    fn poll_drain(&mut self, sending: Poll<()>, cx: &mut Context<'_>) {
        if !self.reading || !self.drain.has_begun() {
            return;
        }
        // A client may show only now that it understands.
        if self.link.is_peer() && self.drain.is_to_tell() {
            self.link.write(&mut |out| out.frame(Header::leaving(), b"", b"", [], b""));
        }
        let idle = self.is_idle(sending) && self.frames.is_empty();
        if self.drain.poll_idle(idle, cx).is_ready() || self.drain.is_last_call() {
            self.reading = false;
        }
    }
}

impl Future for Connection {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        this.link.wake_up();
        if this.reading {
            let running = this.running();
            this.drain.poll(&this.lifetime, running, cx);
        }
        match this.turn(cx) {
            // tokio runs a spawned task on this very worker, and wakes no other for it: then nobody
            // may be left to watch the sockets. A task that is to run again at once is taken by another.
            Ok(Turn::Wait) if !std::mem::take(&mut this.spawned) => Poll::Pending,
            Ok(Turn::Wait | Turn::More) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Ok(Turn::Finished) => {
                this.drain.note_end();
                Poll::Ready(())
            }
            Err(error) => {
                this.drain.note_end();
                tracing::debug!(peer = ?this.link.peer(), %error, "writing failed");
                Poll::Ready(())
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Before the handlers are dropped, so that they do not answer.
        self.link.shut();
        if self.lifetime.drain.is_cancelled() {
            let running = self.running();
            let is_cut = !self.drain.has_ended();
            self.lifetime.tally.add(self.drain.served(running), running as u64, is_cut);
        }
    }
}

/// How a turn ended.
enum Turn {
    /// Nothing to do until something wakes the task.
    Wait,
    /// There is more, but others are to have their turn.
    More,
    /// The connection is over.
    Finished,
}

/// Runs a handler to its end or to its deadline. An unfinished one answers as it is dropped.
async fn handle(mut slot: Slot, deadline: Option<Instant>, _held: Option<Held>) {
    let run = std::future::poll_fn(|cx| slot.poll(cx));
    match deadline {
        None => run.await,
        Some(deadline) => {
            let _ = tokio::time::timeout_at(deadline, run).await;
        }
    }
}

/// Messages that one connection may send before others have their turn.
const REQUESTS_A_TURN: usize = 256;
/// How a record of TLS begins that begins a handshake.
const TLS_HANDSHAKE: u8 = 0x16;
const OVERLOADED: &str = "too many calls are running on this connection";
const TOO_MUCH: &str = "the server holds too many bytes of requests";
