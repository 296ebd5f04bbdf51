//! A call on its way: from a connection to the reply's message.

use std::borrow::Borrow;
use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::sync::futures::OwnedNotified;
use tokio::time::{Instant, Sleep};

use super::channel::Channel;
use super::connection::{Begun, Connection, Kind, Ticket};
use super::endpoint::Endpoint;
use crate::address::Address;
use crate::arguments::Arguments;
use crate::error::{Error, Executed, Result};
use crate::metadata::{Metadata, reserved};
use crate::method::MethodInfo;
use crate::protocol::{
    COMPRESS_ABOVE, Compression, Header, Message, Output, SerializeType, Status,
};
use crate::service::DEADLINE_EXCEEDED;
use crate::service_info::FailMode;

/// What a caller said about one call.
#[derive(Clone, Debug)]
pub(super) struct CallOptions {
    pub(super) timeout: Option<Duration>,
    /// The end of the call that this one is made for.
    pub(super) deadline: Option<Instant>,
    pub(super) metadata: Metadata,
    pub(super) serialize_type: Option<SerializeType>,
    pub(super) compression: Option<Compression>,
    pub(super) oneway: bool,
    pub(super) fail_mode: Option<FailMode>,
    pub(super) retries: Option<u32>,
}

impl CallOptions {
    pub(super) const fn new() -> Self {
        Self {
            timeout: None,
            deadline: None,
            metadata: Metadata::new(),
            serialize_type: None,
            compression: None,
            oneway: false,
            fail_mode: None,
            retries: None,
        }
    }
}

/// A call on its way: one attempt after the other, as the fail mode has it.
///
/// Whatever the mode, a call is made once more, over a new connection, if its connection turned out
/// to be lost before a byte of the call had left: the connection of an idle client may have ended
/// without its knowing.
pub(super) struct Attempt<C, A> {
    channel: C,
    info: &'static MethodInfo,
    arguments: A,
    options: CallOptions,
    state: State,
    timer: Option<Timer>,
    /// The server of this attempt.
    server: Option<Arc<Endpoint>>,
    /// Servers that failed the call: only kept for [`FailMode::Failover`].
    failed: Vec<Address>,
    /// Attempts that failed and counted.
    failures: u32,
    /// A free further attempt was had.
    renewed: bool,
    /// The server of an attempt that may have run.
    maybe_ran: Option<Address>,
    dials: u8,
}

enum State {
    New,
    Pausing(Pin<Box<Sleep>>),
    Dialing(Pin<Box<dyn Future<Output = Result<Arc<Connection>>> + Send>>),
    Crowded(Pin<Box<OwnedNotified>>),
    Waiting(Ticket),
}

struct Timer {
    after: Duration,
    end: Instant,
    sleep: Pin<Box<Sleep>>,
}

impl<C: Borrow<Channel>, A: Arguments> Attempt<C, A> {
    pub(super) fn new(
        channel: C,
        info: &'static MethodInfo,
        arguments: A,
        options: CallOptions,
    ) -> Self {
        Self {
            channel,
            info,
            arguments,
            options,
            state: State::New,
            timer: None,
            server: None,
            failed: Vec::new(),
            failures: 0,
            renewed: false,
            maybe_ran: None,
            dials: 0,
        }
    }

    /// Gives the server that was called last.
    pub(super) fn address(&self) -> Option<&Address> {
        self.server.as_ref().map(|server| server.address())
    }

    pub(super) fn channel(&self) -> &Channel {
        self.channel.borrow()
    }

    /// Drives the call; `None` is a one-way call that the socket took.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Message>>> {
        loop {
            match self.advance(cx) {
                Poll::Ready(Err(error)) => {
                    if !self.prepare_another(&error) {
                        return Poll::Ready(Err(self.of_all_attempts(error)));
                    }
                }
                Poll::Ready(result) => return Poll::Ready(result),
                Poll::Pending => return self.poll_timer(cx).map(Err),
            }
        }
    }

    /// Gets ready for another attempt after `error`, if there is to be one.
    fn prepare_another(&mut self, error: &Error) -> bool {
        let lost = matches!(error, Error::ConnectionLost { .. });
        let executed = error.executed();
        let safe = executed == Executed::No || (lost && self.info.is_idempotent());
        if !safe || !(lost || matches!(error, Error::Connect { .. })) {
            return false;
        }
        if let Error::ConnectionLost { address, executed: Executed::Maybe } = error {
            self.maybe_ran = Some(address.clone());
        }
        self.state = State::New;
        if lost && executed == Executed::No && !std::mem::replace(&mut self.renewed, true) {
            return true;
        }
        let settings = self.channel().settings();
        let retries = self.options.retries.unwrap_or(settings.retries);
        let builder = settings.fail_mode;
        let mode = self.options.fail_mode.or(builder).or(self.info.given_fail_mode());
        let mode = mode.unwrap_or_default();
        if self.failures == retries || mode == FailMode::Failfast {
            return false;
        }
        self.failures += 1;
        self.dials = 0;
        if mode == FailMode::Failover {
            self.failed.extend(self.server.take().map(|server| server.address().clone()));
            if self.channel().cluster().has_other(&self.failed) {
                return true;
            }
            // All have failed: once more round.
            self.failed.clear();
        }
        self.state = State::Pausing(Box::pin(tokio::time::sleep(pause(self.failures))));
        true
    }

    /// Gives the error of the call: that the last attempt did not run is not the whole truth if an
    /// earlier one may have.
    fn of_all_attempts(&mut self, error: Error) -> Error {
        if error.executed() != Executed::No {
            return error;
        }
        match self.maybe_ran.take() {
            Some(address) => Error::ConnectionLost { address, executed: Executed::Maybe },
            None => error,
        }
    }

    fn advance(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Message>>> {
        loop {
            match &mut self.state {
                State::New => {
                    self.set_timer();
                    match self.server()?.current() {
                        Some(connection) => {
                            if let Some(done) = self.begin(&connection, cx)? {
                                return done;
                            }
                        }
                        None => self.dial()?,
                    }
                }
                State::Pausing(pause) => {
                    ready!(pause.as_mut().poll(cx));
                    self.state = State::New;
                }
                State::Dialing(dial) => {
                    let connection = ready!(dial.as_mut().poll(cx))?;
                    self.state = State::New;
                    if let Some(done) = self.begin(&connection, cx)? {
                        return done;
                    }
                }
                State::Crowded(room) => {
                    ready!(room.as_mut().poll(cx));
                    self.state = State::New;
                }
                State::Waiting(ticket) => {
                    let reply = ready!(ticket.poll(cx))?;
                    return Poll::Ready(self.accept(reply));
                }
            }
        }
    }

    /// Gives the server of this attempt; chooses one if there is none yet.
    fn server(&mut self) -> Result<&Arc<Endpoint>> {
        if self.server.is_none() {
            self.server = Some(self.channel.borrow().cluster().pick(&self.failed)?);
        }
        self.server.as_ref().ok_or_else(|| Error::NoServer { why: String::new() })
    }

    /// Takes a reply, unless it only says what this side's timer is about to say.
    ///
    /// The server's timer and this one end at the same time. Which of them is a hair faster must not
    /// decide what the caller gets.
    fn accept(&self, reply: Option<Message>) -> Result<Option<Message>> {
        let Some((timer, message)) = self.timer.as_ref().zip(reply.as_ref()) else {
            return Ok(reply);
        };
        let text = message.metadata_value(reserved::ERROR);
        let too_late = message.header().status() == Status::Error
            && text == Some(DEADLINE_EXCEEDED.as_bytes())
            && timer.end.saturating_duration_since(Instant::now()) <= TIMER_TOLERANCE;
        if too_late { Err(self.timeout(timer)) } else { Ok(reply) }
    }

    /// A server that accepts connections and closes them at once ends this after a few.
    fn dial(&mut self) -> Result<()> {
        let server = Arc::clone(self.server()?);
        if self.dials == DIALS {
            let address = server.address().clone();
            return Err(Error::ConnectionLost { address, executed: Executed::No });
        }
        self.dials += 1;
        self.state = State::Dialing(Box::pin(server.dial()));
        Ok(())
    }

    /// Writes the message; gives a result if the call is over or has to wait for the reply.
    fn begin(
        &mut self,
        connection: &Arc<Connection>,
        cx: &mut Context<'_>,
    ) -> Result<Option<Poll<Result<Option<Message>>>>> {
        let turn = connection.turn();
        let left = match &self.timer {
            Some(timer) => Some(self.time_left(timer)?),
            None => None,
        };
        let kind = if self.is_oneway() { Kind::Oneway } else { Kind::Call };
        let compressed = self.compress()?;
        let begun = connection
            .begin(turn, cx, kind, |seq, out| self.write(seq, left, compressed.as_deref(), out))?;
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

    fn is_oneway(&self) -> bool {
        self.options.oneway || self.info.is_oneway()
    }

    fn serialize_type(&self) -> SerializeType {
        let builder = self.channel().settings().serialize_type;
        self.options.serialize_type.or(builder).unwrap_or(self.info.serialize_type())
    }

    fn compression(&self) -> Compression {
        let builder = self.channel().settings().compression;
        self.options.compression.or(builder).unwrap_or(self.info.call_compression())
    }

    /// Compresses the arguments if that was asked for and they are large enough.
    fn compress(&self) -> Result<Option<Vec<u8>>> {
        if self.compression() == Compression::NONE {
            return Ok(None);
        }
        let mut payload = Vec::new();
        self.arguments.encode(self.serialize_type(), &mut payload).map_err(Error::Encode)?;
        if payload.len() <= COMPRESS_ABOVE {
            return Ok(None);
        }
        let compressors = &self.channel().settings().messages.compressors;
        let packed = compressors.compress(self.compression(), &payload);
        packed
            .map(Some)
            .map_err(|error| Error::Encode(crate::codec::CodecError::Encode(error.to_string())))
    }

    fn write(
        &self,
        seq: u64,
        left: Option<Duration>,
        compressed: Option<&[u8]>,
        out: &mut Output,
    ) -> Result<()> {
        let serialize_type = self.serialize_type();
        let mut header = Header::request(seq, serialize_type);
        if self.is_oneway() {
            header = header.with_oneway();
        }
        let attached = match compressed {
            Some(_) => {
                header = header.with_compression(self.compression());
                None
            }
            None => self.arguments.bytes(serialize_type).filter(|bytes| bytes.len() >= ATTACH),
        };
        // Rounded up: the server is not to give up before the caller does.
        let milliseconds = left.map(|left| left.as_nanos().div_ceil(1_000_000).to_string());
        let timeout = milliseconds.as_deref().map(|value| (reserved::SERVER_TIMEOUT, value));
        let settings = self.channel().settings();
        let auth = settings.auth.as_ref().map(|token| (reserved::AUTH, token.0.as_str()));
        let pairs = self.options.metadata.iter().chain(auth).chain(timeout);
        if !self.options.metadata.is_empty() {
            let limits = &settings.messages.limits;
            let checked = limits.check_metadata(pairs.clone().map(|(key, _)| key));
            checked.map_err(|why| Error::Metadata { why })?;
        }
        let len = out.frame_with(
            header,
            settings.service.as_deref().unwrap_or(self.info.service_path()).as_bytes(),
            self.info.name().as_bytes(),
            pairs.map(|(key, value)| (key.as_bytes(), value.as_bytes())),
            |out| match (compressed, &attached) {
                (Some(packed), _) => {
                    out.extend_from_slice(packed);
                    Ok(())
                }
                (None, Some(_)) => Ok(()),
                (None, None) => self.arguments.encode(serialize_type, out).map_err(Error::Encode),
            },
        )?;
        let size = len + attached.as_ref().map_or(0, bytes::Bytes::len) - Header::LEN - 4;
        let limit = settings.messages.limits.message();
        if size > limit {
            out.retract(len);
            return Err(Error::TooLarge { size, limit });
        }
        if let Some(payload) = attached {
            out.attach(len, payload);
        }
        Ok(())
    }

    fn set_timer(&mut self) {
        if self.timer.is_some() {
            return;
        }
        let builder = self.channel().settings().timeout;
        let own = self.options.timeout.or(builder).or(self.info.call_timeout());
        let inherited = self.options.deadline;
        if own.is_none() && inherited.is_none() {
            return;
        }
        let now = Instant::now();
        let inherited = inherited.map(|end| end.saturating_duration_since(now));
        let Some(after) = own.into_iter().chain(inherited).min() else { return };
        // A time that the clock cannot hold is as good as none.
        let Some(end) = now.checked_add(after) else { return };
        let sleep = Box::pin(tokio::time::sleep_until(end));
        self.timer = Some(Timer { after, end, sleep });
    }

    fn time_left(&self, timer: &Timer) -> Result<Duration> {
        let left = timer.end.saturating_duration_since(Instant::now());
        // Less than what the wire can say is nothing.
        if left < Duration::from_millis(1) { Err(self.timeout(timer)) } else { Ok(left) }
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        let Some(timer) = &mut self.timer else { return Poll::Pending };
        ready!(timer.sleep.as_mut().poll(cx));
        let error = self.timer.as_ref().map(|timer| self.timeout(timer));
        self.state = State::New;
        error.map_or(Poll::Pending, Poll::Ready)
    }

    fn timeout(&self, timer: &Timer) -> Error {
        let executed = match &self.state {
            State::Waiting(_) => Executed::Maybe,
            _ if self.maybe_ran.is_some() => Executed::Maybe,
            _ => Executed::No,
        };
        Error::Timeout { after: timer.after, executed }
    }
}

/// How far the timers of the two sides may be apart.
const TIMER_TOLERANCE: Duration = Duration::from_millis(5);
/// How many connections one call opens before it gives up.
const DIALS: u8 = 3;
/// A payload of raw bytes from this size on is not copied.
const ATTACH: usize = 16 << 10;

/// Gives the pause before the next attempt: up to 20 ms at first, doubled up to a second, shortened
/// at random so that callers do not come back all at once.
fn pause(failures: u32) -> Duration {
    let longest = FIRST_PAUSE.saturating_mul(1 << failures.saturating_sub(1).min(10));
    longest.min(LONGEST_PAUSE).mul_f64(fastrand::f64())
}

const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
