//! One attempt of a call at one server: from a connection to the reply's message.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::sync::futures::OwnedNotified;

use super::breaker::Permit;
use super::connection::{Begun, Connection, Kind, Ticket};
use super::endpoint::{Dial, Endpoint};
use super::health::{self, Probe};
use super::request::Request;
use super::settings::ChannelSettings;
use super::timer::Timer;
use crate::arguments::Arguments;
use crate::error::{Error, Executed, Refusal};
use crate::metadata::reserved;
use crate::protocol::{Message, Status};
use crate::service::DEADLINE_EXCEEDED;

/// One attempt of a call at one server.
pub(super) struct Attempt {
    server: Arc<Endpoint>,
    /// Which of the server's connections is used.
    lane: usize,
    state: State,
    timer: Option<Timer>,
    dials: u8,
    /// The selector of its channel wants to know of it.
    counts: bool,
    /// It shows how the server is, which was passed over until now.
    probe: Option<Probe>,
    /// What the server's breaker waits to hear of.
    permit: Option<Permit>,
}

enum State {
    New,
    Dialing(Dial),
    Crowded(Pin<Box<OwnedNotified>>),
    Waiting(Ticket),
}

/// What all attempts of a call share.
pub(super) struct Shared<'a, A> {
    pub(super) request: &'a Request<A>,
    pub(super) settings: &'a ChannelSettings,
    /// The time of the whole call.
    pub(super) timer: Option<&'a Timer>,
}

/// Why an attempt failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// It failed itself: another may succeed.
    Attempt(Error),
    /// The time of the whole call is over.
    OutOfTime,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Attempt(error)
    }
}

/// The reply's message; `None` is a one-way call that the socket took.
type Reply = Result<Option<Message>, Failure>;

impl Attempt {
    /// Gets ready to call `server`, whose breaker permits it; `timeout` begins now.
    pub(super) fn new(
        server: Arc<Endpoint>,
        probe: Option<Probe>,
        permit: Option<Permit>,
        timeout: Option<Duration>,
        settings: &ChannelSettings,
    ) -> Self {
        let counts = settings.counts_pending;
        if counts {
            server.stats().begin();
        }
        let lane = server.next_lane();
        let timer = timeout.and_then(Timer::start);
        Self { server, lane, state: State::New, timer, dials: 0, counts, probe, permit }
    }

    pub(super) fn server(&self) -> &Arc<Endpoint> {
        &self.server
    }

    /// Tells what the server may have done so far.
    pub(super) fn executed(&self) -> Executed {
        match self.state {
            State::Waiting(_) => Executed::Maybe,
            _ => Executed::No,
        }
    }

    /// Notes that the server answered.
    pub(super) fn answered(&mut self) {
        match self.probe.take() {
            Some(probe) => probe.succeeded(),
            None => self.server.health().succeeded(),
        }
        if let (Some(permit), Some(circuit)) = (self.permit.take(), self.server.circuit()) {
            permit.success(circuit);
        }
    }

    /// Notes that the attempt failed with `error`.
    pub(super) fn failed(&mut self, error: &Error) {
        let (failure, is_fault) = match error {
            // Of a dial that failed, whoever dialled has told the server's health and its breaker.
            Error::Connect { .. } if !matches!(self.state, State::Waiting(_)) => (None, false),
            Error::ConnectionLost { .. } | Error::Protocol(_) | Error::Connect { .. } => {
                // One failure, however many calls were on the connection.
                let first = match &self.state {
                    State::Waiting(lost) => lost.is_first_to_blame(),
                    _ => true,
                };
                let probes = self.permit.as_ref().is_some_and(Permit::is_probe);
                (first.then_some(health::Failure::Lost), first || probes)
            }
            Error::Timeout { executed: Executed::Maybe, .. } => (Some(health::Failure::Slow), true),
            // The dial goes on: how it ends is told then, and that the call had no time for it now.
            Error::Timeout { .. } if matches!(self.state, State::Dialing(_)) => {
                (Some(health::Failure::Slow), true)
            }
            _ => (None, false),
        };
        match (failure, self.probe.take()) {
            (Some(failure), Some(probe)) => probe.failed(failure),
            (Some(failure), None) => self.server.health().failed(failure),
            (None, _) => {}
        }
        let permit = self.permit.take().filter(|_| is_fault);
        if let (Some(permit), Some(circuit)) = (permit, self.server.circuit()) {
            permit.failure(circuit);
        }
    }

    /// Drives the attempt.
    pub(super) fn poll<A: Arguments>(
        &mut self,
        shared: &Shared<'_, A>,
        cx: &mut Context<'_>,
    ) -> Poll<Reply> {
        let advanced = self.advance(shared, cx);
        if advanced.is_pending()
            && let Some(timer) = &mut self.timer
        {
            ready!(timer.poll(cx));
            let executed = self.executed();
            let error = self.timer.as_ref().map(|timer| timer.error(executed));
            return error.map_or(Poll::Pending, |error| Poll::Ready(Err(error.into())));
        }
        advanced
    }

    fn advance<A: Arguments>(
        &mut self,
        shared: &Shared<'_, A>,
        cx: &mut Context<'_>,
    ) -> Poll<Reply> {
        loop {
            match &mut self.state {
                State::New => match &*self.server.connection(self.lane) {
                    Some(connection) => {
                        if let Some(done) = self.begin(connection, shared, cx)? {
                            return done;
                        }
                    }
                    None => self.dial()?,
                },
                State::Dialing(dial) => {
                    let connection = ready!(dial.as_mut().poll(cx))?;
                    self.state = State::New;
                    if let Some(done) = self.begin(&connection, shared, cx)? {
                        return done;
                    }
                }
                State::Crowded(room) => {
                    ready!(room.as_mut().poll(cx));
                    self.state = State::New;
                }
                State::Waiting(ticket) => {
                    let reply = ready!(ticket.poll(cx))?;
                    return Poll::Ready(self.accept(reply, shared.timer));
                }
            }
        }
    }

    /// A server that accepts connections and closes them at once ends this after a few.
    fn dial(&mut self) -> Result<(), Error> {
        if self.dials == DIALS {
            let address = self.server.address().clone();
            return Err(Error::ConnectionLost { address, executed: Executed::No });
        }
        self.dials += 1;
        self.state = State::Dialing(Box::pin(Arc::clone(&self.server).dial(self.lane)));
        Ok(())
    }

    /// Writes the message; gives a result if the attempt is over or has to wait for the reply.
    fn begin<A: Arguments>(
        &mut self,
        connection: &Arc<Connection>,
        shared: &Shared<'_, A>,
        cx: &mut Context<'_>,
    ) -> Result<Option<Poll<Reply>>, Failure> {
        let turn = connection.turn();
        let Shared { request, settings, .. } = shared;
        let left = self.time_left(shared.timer)?;
        let kind = if request.is_oneway() { Kind::Oneway } else { Kind::Call };
        let compressed = request.compress(settings)?;
        let begun = connection.begin(turn, cx, kind, |seq, out| {
            request.write(settings, seq, left, compressed.as_deref(), out)
        })?;
        match begun {
            Begun::Waiting(ticket) => {
                self.state = State::Waiting(ticket);
                // The waker is in place: nothing to poll for before the reply.
                Ok(Some(Poll::Pending))
            }
            Begun::Sent => Ok(Some(Poll::Ready(Ok(None)))),
            Begun::Full(room) => {
                self.state = State::Crowded(room);
                Ok(None)
            }
            Begun::Closed => {
                self.dial()?;
                Ok(None)
            }
        }
    }

    /// Takes a reply, unless it only says what a timer of this side is about to say, or that nothing ran.
    ///
    /// The server's timer and this one end at the same time. Which of them is a hair faster must not
    /// decide what the caller gets.
    fn accept(&self, reply: Option<Message>, call: Option<&Timer>) -> Reply {
        let failed = |message: &&Message| message.header().status() == Status::Error;
        let Some(message) = reply.as_ref().filter(failed) else { return Ok(reply) };
        let refusal = message.metadata_value(reserved::NOT_EXECUTED);
        let executed = if refusal.is_some() { Executed::No } else { Executed::Maybe };
        if message.metadata_value(reserved::ERROR) == Some(DEADLINE_EXCEEDED.as_bytes()) {
            if call.is_some_and(Timer::is_about_over) {
                return Err(Failure::OutOfTime);
            }
            if let Some(attempt) = self.timer.as_ref().filter(|own| own.is_about_over()) {
                return Err(attempt.error(executed).into());
            }
        }
        let Some(why) = refusal else { return Ok(reply) };
        let why = String::from_utf8_lossy(why).into_owned();
        let address = self.server.address().clone();
        let reason = Refusal::ByServer { address, why };
        Err(Failure::Attempt(Error::NotExecuted { reason }))
    }

    /// Gives the time that the server is told: what is left of the call and of the attempt.
    fn time_left(&self, call: Option<&Timer>) -> Result<Option<Duration>, Failure> {
        // Less than what the wire can say is nothing.
        let call = call.map(Timer::left);
        if call.is_some_and(|left| left < SHORTEST) {
            return Err(Failure::OutOfTime);
        }
        let own = self.timer.as_ref().map(Timer::left);
        Ok(call.into_iter().chain(own.map(|left| left.max(SHORTEST))).min())
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if self.counts {
            self.server.stats().end();
        }
    }
}

/// The least time that the wire can say.
const SHORTEST: Duration = Duration::from_millis(1);
/// How many connections one attempt opens before it gives up.
const DIALS: u8 = 3;
