//! A call on its way: one attempt after the other, as the fail mode has it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::time::{Instant, Sleep};
use tracing::Span;

use super::attempt::{Attempt, Failure, Shared};
use super::channel::Channel;
use super::endpoint::Endpoint;
use super::health::Probe;
use super::observe::Observer;
use super::request::{CallKey, Encoded, Request};
use super::retrying::{Retrying, Verdict};
use super::selector::Selection;
use super::timer::{LONGEST, Timer};
use crate::address::Address;
use crate::arguments::Arguments;
use crate::error::{Error, Executed, Result};
use crate::metadata::Metadata;
use crate::modes::FailMode;
use crate::protocol::Message;

/// A call on its way.
///
/// It lies in the caller's future and is moved about before it is polled: what only few calls need is
/// behind `rest`.
pub(super) struct Attempts<A> {
    request: Request<A>,
    phase: Phase,
    attempt: Option<Attempt>,
    timer: Option<Timer>,
    rest: Option<Box<Rest>>,
}

enum Phase {
    Begin,
    Choosing,
    /// There is no server to choose.
    Waiting(Pin<Box<dyn Future<Output = bool> + Send>>),
    Trying,
    /// The server's breaker is open.
    Refused(Box<Error>),
    Pausing(Pin<Box<Sleep>>),
}

/// What a call needs that does not succeed at once, that somebody watches or that somebody else governs.
#[derive(Default)]
struct Rest {
    mode: Mode,
    /// The server of the last attempt.
    last: Option<Arc<Endpoint>>,
    /// The next attempt goes there too.
    stays: bool,
    retrying: Retrying,
    /// Until when the first server is waited for.
    patience: Option<Instant>,
    /// How many attempts were made elsewhere.
    before: u32,
    call: Observer,
    /// The attempt that is under way.
    trying: Observer,
}

/// Who decides about further attempts.
#[derive(Default)]
enum Mode {
    /// The call's own fail mode.
    #[default]
    Governed,
    /// Somebody else: this is one attempt, at a server that is not one of these if there are others.
    Single(Vec<Address>),
    /// Somebody else: this is one attempt, at the server that was given.
    Pinned,
}

impl<A: Arguments> Attempts<A> {
    pub(super) const fn new(request: Request<A>) -> Self {
        let phase = Phase::Begin;
        Self { request, phase, attempt: None, timer: None, rest: None }
    }

    /// One attempt, at another server than `avoided` if there is one; it has this number.
    pub(super) fn single(request: Request<A>, avoided: Vec<Address>, number: u32) -> Self {
        let before = number - 1;
        let rest = Rest { mode: Mode::Single(avoided), before, ..Rest::default() };
        Self { rest: Some(Box::new(rest)), ..Self::new(request) }
    }

    /// One attempt, at this server; it has this number.
    pub(super) fn at(request: Request<A>, server: Arc<Endpoint>, number: u32) -> Self {
        let (mode, last, before) = (Mode::Pinned, Some(server), number - 1);
        let rest = Rest { mode, last, stays: true, before, ..Rest::default() };
        Self { rest: Some(Box::new(rest)), ..Self::new(request) }
    }

    /// Gives the server that was called last.
    pub(super) fn address(&self) -> Option<&Address> {
        self.server().map(|server| server.address())
    }

    /// Gives the server that was called last.
    pub(super) fn server(&self) -> Option<&Arc<Endpoint>> {
        let last = || self.rest.as_ref().and_then(|rest| rest.last.as_ref());
        self.attempt.as_ref().map(Attempt::server).or_else(last)
    }

    fn rest(&mut self) -> &mut Rest {
        self.rest.get_or_insert_default()
    }

    fn is_governed(&self) -> bool {
        self.rest.as_ref().is_none_or(|rest| matches!(rest.mode, Mode::Governed))
    }

    /// Drives the call; `None` is a one-way call that the socket took.
    pub(super) fn poll(
        &mut self,
        channel: &Channel,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Message>>> {
        if matches!(self.phase, Phase::Begin) {
            self.begin(channel);
        }
        let spans = self.rest.as_ref().and_then(|rest| rest.spans());
        let result = match spans {
            None => self.drive(channel, cx),
            Some((call, trying)) => call.in_scope(|| trying.in_scope(|| self.drive(channel, cx))),
        };
        if let (Poll::Ready(result), Some(rest)) = (&result, &mut self.rest) {
            rest.trying.ended(result);
            rest.call.ended(result);
        }
        result
    }

    fn begin(&mut self, channel: &Channel) {
        let settings = channel.settings();
        self.timer = self.request.time(settings).and_then(Timer::start);
        self.phase = Phase::Choosing;
        if self.is_governed() {
            channel.budget().called();
            if Observer::is_wanted(settings) {
                let service = self.request.service(settings);
                let call = Observer::of_call(settings, service, self.request.info.name());
                self.rest().call = call;
            }
        }
    }

    fn drive(&mut self, channel: &Channel, cx: &mut Context<'_>) -> Poll<Result<Option<Message>>> {
        loop {
            // There may be no server any more.
            let chosen = ready!(self.poll_server(channel, cx));
            chosen.map_err(|error| self.rest().retrying.of_all_attempts(error))?;
            let failed = match &mut self.phase {
                Phase::Trying => match ready!(self.poll_attempt(channel, cx)) {
                    Ok(reply) => return Poll::Ready(Ok(reply)),
                    Err(Failure::OutOfTime) => return Poll::Ready(Err(self.out_of_time())),
                    Err(Failure::Attempt(error)) => error,
                },
                Phase::Refused(_) if give_way(cx).is_pending() => return Poll::Pending,
                Phase::Refused(_) => match std::mem::replace(&mut self.phase, Phase::Choosing) {
                    Phase::Refused(error) => *error,
                    _ => continue,
                },
                Phase::Pausing(pause) => {
                    if pause.as_mut().poll(cx).is_pending() {
                        return self.poll_timer(cx).map(Err);
                    }
                    self.phase = Phase::Choosing;
                    continue;
                }
                Phase::Begin | Phase::Choosing | Phase::Waiting(_) => continue,
            };
            if let Some(error) = self.after(channel, failed) {
                return Poll::Ready(Err(error));
            }
        }
    }

    /// Chooses the server; a caller may want to know it before the attempt.
    pub(super) fn poll_server(
        &mut self,
        channel: &Channel,
        cx: &mut Context<'_>,
    ) -> Poll<Result<()>> {
        loop {
            match &mut self.phase {
                Phase::Begin => self.begin(channel),
                Phase::Choosing => {
                    if let Err(error) = self.choose(channel) {
                        // It is looked for again when others have had their turn.
                        ready!(give_way(cx));
                        return Poll::Ready(Err(error));
                    }
                }
                Phase::Waiting(wait) => {
                    let Poll::Ready(may_come) = wait.as_mut().poll(cx) else {
                        return self.poll_timer(cx).map(Err);
                    };
                    if !may_come {
                        self.rest().patience = Some(Instant::now());
                    }
                    self.phase = Phase::Choosing;
                }
                Phase::Trying | Phase::Refused(_) | Phase::Pausing(_) => {
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }

    fn poll_attempt(
        &mut self,
        channel: &Channel,
        cx: &mut Context<'_>,
    ) -> Poll<std::result::Result<Option<Message>, Failure>> {
        let Some(attempt) = &mut self.attempt else { return Poll::Ready(Err(Failure::OutOfTime)) };
        let shared = Shared {
            request: &self.request,
            settings: channel.settings(),
            timer: self.timer.as_ref(),
        };
        match attempt.poll(&shared, cx) {
            Poll::Pending => self.poll_time(cx).map(|()| Err(Failure::OutOfTime)),
            Poll::Ready(Ok(reply)) => {
                attempt.answered();
                Poll::Ready(Ok(reply))
            }
            failed @ Poll::Ready(Err(_)) => failed,
        }
    }

    fn choose(&mut self, channel: &Channel) -> Result<()> {
        let mut avoided: &[Address] = &[];
        if let Some(rest) = self.rest.as_deref_mut() {
            // It may have left the list while the call paused.
            let listed = |server: &Arc<Endpoint>| {
                matches!(rest.mode, Mode::Pinned) || channel.cluster().has(server)
            };
            if rest.stays
                && let Some(server) = rest.last.take().filter(listed)
            {
                self.try_at(channel, server, None);
                return Ok(());
            }
            avoided = match &rest.mode {
                Mode::Governed => rest.retrying.failed(),
                Mode::Single(avoided) => avoided,
                Mode::Pinned => &[],
            };
        }
        let settings = channel.settings();
        let key = CallKey { request: &self.request, settings };
        let (service, method) = (self.request.service(settings), self.request.info.name());
        let selection = Selection::of(service, method, &key);
        match channel.cluster().pick(&selection, avoided) {
            Ok((server, probe)) => {
                self.try_at(channel, server, probe);
                Ok(())
            }
            Err(error) => self.wait_for_server(channel, error),
        }
    }

    fn try_at(&mut self, channel: &Channel, server: Arc<Endpoint>, probe: Option<Probe>) {
        let settings = channel.settings();
        if Observer::is_wanted(settings) {
            let rest = self.rest.get_or_insert_default();
            let number = rest.before + rest.retrying.attempt();
            let trying = || Observer::of_attempt(settings, server.address(), number);
            rest.trying = rest.call.within(trying);
        }
        let timeout = self.request.governed(settings, |part| part.attempt_timeout);
        match server.admit() {
            Ok(permit) => {
                self.attempt = Some(Attempt::new(server, probe, permit, timeout, settings));
                self.phase = Phase::Trying;
            }
            Err(refused) => {
                self.rest().last = Some(server);
                self.phase = Phase::Refused(Box::new(refused));
            }
        }
    }

    /// Waits for a first server if the builder says so, and as long as it says.
    fn wait_for_server(&mut self, channel: &Channel, error: Error) -> Result<()> {
        let Some(wait) = channel.settings().wait_for_server else { return Err(error) };
        if !channel.cluster().is_empty() {
            return Err(error);
        }
        let filled = channel.cluster().filled();
        let now = Instant::now();
        let patience = &mut self.rest().patience;
        let until = *patience.get_or_insert_with(|| now + wait.min(LONGEST));
        if until <= now {
            return Err(error);
        }
        self.phase = Phase::Waiting(Box::pin(async move {
            tokio::time::timeout_at(until, filled).await.unwrap_or(true)
        }));
        Ok(())
    }

    /// Gets ready for another attempt after `error`, or gives the error of the call.
    fn after(&mut self, channel: &Channel, error: Error) -> Option<Error> {
        let mut governance = self.request.governance(channel.settings());
        let is_governed = self.is_governed();
        if !is_governed {
            governance.fail_mode = Some(FailMode::Failfast);
        }
        let rest = self.rest.get_or_insert_default();
        if let Some(mut attempt) = self.attempt.take() {
            attempt.failed(&error);
            rest.last = Some(Arc::clone(attempt.server()));
        }
        rest.trying.failed(&error);
        let (server, info) = (rest.last.as_ref(), self.request.info);
        let verdict = rest.retrying.after(&error, server, channel, info, &governance);
        let Verdict::Again { same_server, pause } = verdict else {
            return Some(rest.retrying.of_all_attempts(error));
        };
        if !same_server && !is_governed {
            // Where to go next is not decided here.
            return Some(error);
        }
        rest.stays = same_server;
        let pause = pause.map(|pause| Box::pin(tokio::time::sleep(pause)));
        self.phase = pause.map_or(Phase::Choosing, Phase::Pausing);
        None
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        ready!(self.poll_time(cx));
        Poll::Ready(self.out_of_time())
    }

    /// Is ready when the time of the whole call is over.
    fn poll_time(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.timer.as_mut().map_or(Poll::Pending, |timer| timer.poll(cx))
    }

    fn out_of_time(&mut self) -> Error {
        let rest = self.rest.get_or_insert_default();
        let attempt = self.attempt.take();
        let mut executed = attempt.as_ref().map_or(Executed::No, Attempt::executed);
        if rest.retrying.may_have_run() {
            executed = Executed::Maybe;
        }
        let timer = self.timer.as_ref();
        let error = timer.map_or(Error::Cancelled { executed }, |timer| timer.error(executed));
        if let Some(mut attempt) = attempt {
            attempt.failed(&error);
            rest.last = Some(Arc::clone(attempt.server()));
        }
        error
    }
}

impl Rest {
    /// Gives the spans of the call and of its attempt, if anybody sees one.
    fn spans(&self) -> Option<(Span, Span)> {
        let is_seen = self.call.is_seen() || self.trying.is_seen();
        is_seen.then(|| (self.call.span().clone(), self.trying.span().clone()))
    }
}

/// Lets others have their turn now and then before a call fails that waited for nothing: a caller that makes it
/// again at once would keep from running what could help.
fn give_way(cx: &mut Context<'_>) -> Poll<()> {
    std::pin::pin!(tokio::task::consume_budget()).poll(cx)
}

impl Attempts<Encoded> {
    /// Replaces what is sent; the attempt has not begun.
    pub(super) fn send_instead(&mut self, metadata: Metadata, payload: Bytes) {
        self.request.options.metadata = metadata;
        self.request.arguments = self.request.arguments.clone().with_payload(payload);
    }
}
