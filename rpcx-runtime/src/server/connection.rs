//! One client's connection: requests in, answers out.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, Sleep};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tokio_util::task::TaskTracker;

use super::bound::Parts;
use super::dispatch::{Run, dispatch};
use super::link::Link;
use crate::outlet::Outlet as _;
use crate::protocol::{Message, Output};
use crate::service::Slot;
use crate::transport::{Duplex, Fill, FrameReader, WriteHalf, poll_write_all};

/// What ends a server's connections and one-way calls.
#[derive(Clone, Debug, Default)]
pub(super) struct Lifetime {
    /// Stop reading, finish what runs.
    pub(super) drain: CancellationToken,
    /// Stop.
    pub(super) end: CancellationToken,
    /// One-way calls, which outlive their connection.
    pub(super) oneway: TaskTracker,
}

/// One client's connection.
///
/// A single task reads, starts handlers and writes; handlers that wait have tasks of their own,
/// which end with the connection.
pub(super) struct Connection {
    frames: FrameReader,
    writer: WriteHalf,
    /// What is being written.
    batch: Output,
    link: Arc<Link>,
    slot: Slot,
    handlers: JoinSet<()>,
    /// A request that came when too many were running.
    parked: Option<Message>,
    reading: bool,
    stall: WriteStall,
    lifetime: Lifetime,
    drain: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Connection {
    pub(super) fn new(duplex: Duplex, parts: Arc<Parts>, lifetime: Lifetime) -> Self {
        Self {
            frames: FrameReader::new(duplex.reader),
            writer: duplex.writer,
            batch: Output::new(),
            link: Arc::new(Link::new(parts, duplex.peer)),
            slot: Slot::default(),
            handlers: JoinSet::new(),
            parked: None,
            reading: true,
            stall: WriteStall::default(),
            drain: Box::pin(lifetime.drain.clone().cancelled_owned()),
            lifetime,
        }
    }

    /// Takes in what has come, a bounded number of requests, and sends what is ready.
    fn turn(&mut self, cx: &mut Context<'_>) -> io::Result<Turn> {
        let mut budget = REQUESTS_A_TURN;
        loop {
            while matches!(self.handlers.poll_join_next(cx), Poll::Ready(Some(_))) {}
            let before = budget;
            self.take_requests(&mut budget, cx);
            if budget < before {
                self.link.parts().load.add_calls((before - budget) as u64);
            }
            let sending = self.poll_send(cx)?;
            if self.is_finished(sending) {
                return Ok(Turn::Finished);
            }
            if budget == 0 {
                return Ok(Turn::More);
            }
            let filled = self.may_read(sending) && self.poll_fill(cx);
            if !filled && self.link.sleep(sending.is_ready(), cx) {
                return Ok(Turn::Wait);
            }
        }
    }

    /// Starts every request that is in the buffer.
    fn take_requests(&mut self, budget: &mut usize, cx: &mut Context<'_>) {
        while *budget > 0 && !self.link.is_closing() {
            let message = match self.parked.take() {
                Some(message) => message,
                None => match self.frames.next(&self.link.parts().settings.messages.limits) {
                    Ok(Some(message)) => message,
                    Ok(None) => return,
                    Err(error) => {
                        tracing::debug!(peer = ?self.link.peer(), %error, "no rpcx message");
                        self.frames.discard();
                        return self.abandon();
                    }
                },
            };
            if self.is_full() && !message.header().is_heartbeat() {
                self.parked = Some(message);
                return;
            }
            *budget -= 1;
            let run = dispatch(message, &self.link, &mut self.slot);
            if self.slot.is_filled() {
                self.run_handler(&run, cx);
            }
        }
        if self.link.is_closing() {
            self.reading = false;
            self.parked = None;
        }
    }

    /// Polls the handler's future where it is; if it has to wait it gets a task.
    fn run_handler(&mut self, run: &Run, cx: &mut Context<'_>) {
        if !run.spawn && self.slot.poll(cx).is_ready() {
            return;
        }
        let handler = handle(self.slot.take(), run.deadline);
        if run.oneway {
            // The caller may be gone by now: the call runs all the same.
            let running = self.link.begin_oneway();
            let end = self.lifetime.end.clone();
            self.lifetime.oneway.spawn(async move {
                end.run_until_cancelled_owned(handler).await;
                drop(running);
            });
        } else {
            self.handlers.spawn(handler);
        }
    }

    fn is_full(&self) -> bool {
        let running = self.handlers.len() + self.link.oneway_calls();
        running >= self.link.parts().settings.in_flight
    }

    /// Sends what is ready; pending if the client does not take it.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> io::Result<Poll<()>> {
        loop {
            if self.batch.is_empty() {
                self.link.take_output(&mut self.batch);
                if self.batch.is_empty() {
                    self.stall.end();
                    return Ok(Poll::Ready(()));
                }
            }
            let before = self.batch.len();
            if poll_write_all(&mut self.writer, &mut self.batch, cx)?.is_pending() {
                self.stall.poll(self.batch.len() < before, cx)?;
                return Ok(Poll::Pending);
            }
        }
    }

    /// Tells whether a read makes sense: there is room for what it may bring.
    fn may_read(&self, sending: Poll<()>) -> bool {
        let queued = self.batch.len() + self.link.queued();
        self.reading && self.parked.is_none() && (sending.is_ready() || queued < QUEUE)
    }

    /// Reads once; tells whether there is something new.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> bool {
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
        let idle = self.handlers.is_empty() && self.parked.is_none();
        !self.reading && idle && sending.is_ready() && self.link.queued() == 0
    }
}

impl Future for Connection {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        this.link.wake_up();
        if this.reading && this.drain.as_mut().poll(cx).is_ready() {
            this.reading = false;
        }
        match this.turn(cx) {
            Ok(Turn::Wait) => Poll::Pending,
            Ok(Turn::More) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Ok(Turn::Finished) => Poll::Ready(()),
            Err(error) => {
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
async fn handle(mut slot: Slot, deadline: Option<Instant>) {
    let run = std::future::poll_fn(|cx| slot.poll(cx));
    match deadline {
        None => run.await,
        Some(deadline) => {
            let _ = tokio::time::timeout_at(deadline, run).await;
        }
    }
}

/// Notices a client that takes nothing of what it is sent.
#[derive(Default)]
struct WriteStall(Option<Pin<Box<Sleep>>>);

impl WriteStall {
    fn end(&mut self) {
        self.0 = None;
    }

    fn poll(&mut self, progress: bool, cx: &mut Context<'_>) -> io::Result<()> {
        let timer = self.0.get_or_insert_with(|| Box::pin(tokio::time::sleep(STALL)));
        if progress {
            timer.as_mut().reset(Instant::now() + STALL);
        }
        match timer.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
            Poll::Pending => Ok(()),
        }
    }
}

/// Requests that one connection may start before others have their turn.
const REQUESTS_A_TURN: usize = 256;
/// Bytes that may wait for a client before its requests wait too.
const QUEUE: usize = 4 << 20;
/// How long a client may take nothing of what waits for it.
const STALL: Duration = Duration::from_secs(20);
