//! A call in a future of its own: with interceptors, with a second request, or to a server that is given.
//!
//! It does what [`Attempts`] does, attempt by attempt; each attempt is an `Attempts` that makes but one.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;
use tracing::Instrument as _;

use super::attempts::Attempts;
use super::channel::Channel;
use super::endpoint::Endpoint;
use super::interceptor::{BoxFuture, End, Incoming, Level, Next, Outgoing};
use super::observe::Observer;
use super::request::{Encoded, Request};
use super::retrying::{Retrying, Verdict};
use super::timer::Timer;
use crate::address::Address;
use crate::error::{Error, Executed, Refusal, Result};
use crate::extensions::Extensions;
use crate::governance::Governance;
use crate::modes::{FailMode, RetryRule};
use crate::protocol::Message;

/// What a call came to.
pub(super) struct Outcome {
    pub(super) result: Result<Option<Message>>,
    /// The server that was called last.
    pub(super) address: Option<Address>,
}

/// A call on its way.
struct Managed {
    channel: Channel,
    request: Request<Encoded>,
    governance: Governance,
    /// The only server that may be called.
    pinned: Option<Arc<Endpoint>>,
    /// The server that was called last.
    last: Mutex<Option<Address>>,
    /// How many attempts have run, or may have.
    maybe_ran: AtomicUsize,
}

/// Makes the call, at `pinned` if that is given.
pub(super) async fn run(
    channel: Channel,
    mut request: Request<Encoded>,
    pinned: Option<Arc<Endpoint>>,
) -> Outcome {
    let settings = channel.settings();
    let time = request.time(settings);
    let timer = time.and_then(Timer::start);
    // No attempt has more time: neither what the builder allows, nor a new beginning.
    request.options.timeout = time;
    request.options.deadline = timer.as_ref().map(Timer::end);
    let governance = request.governance(settings);
    let outgoing = Outgoing {
        info: request.info,
        service: request.service(settings).to_owned(),
        metadata: request.options.metadata.clone(),
        payload: request.arguments.payload(),
        serialize_type: request.serialize_type(settings),
        address: None,
        attempt: 0,
        extensions: Extensions::default(),
    };
    let mut observer = Observer::of_call(settings, &outgoing.service, request.info.name());
    let (last, maybe_ran) = (Mutex::default(), AtomicUsize::new(0));
    let managed = Managed { channel, request, governance, pinned, last, maybe_ran };
    let call = managed.in_time(outgoing, timer).instrument(observer.span().clone());
    let result = call.await.map(|incoming| incoming.message);
    observer.ended(&result);
    let address = managed.last.into_inner().unwrap_or_else(PoisonError::into_inner);
    Outcome { result, address }
}

impl Managed {
    async fn in_time(&self, outgoing: Outgoing, timer: Option<Timer>) -> Result<Incoming> {
        let layers = &self.channel.settings().interceptors.0;
        let mut call = pin!(Next { rest: layers, level: Level::Call, end: self }.run(outgoing));
        let Some(mut timer) = timer else { return call.await };
        poll_fn(|cx| {
            if let Poll::Ready(result) = call.as_mut().poll(cx) {
                // The time of an attempt that ends with that of the call is the call's.
                return Poll::Ready(match result {
                    Err(Error::Timeout { executed, .. }) if timer.is_about_over() => {
                        Err(timer.error(executed))
                    }
                    result => result,
                });
            }
            timer.poll(cx).map(|()| Err(timer.error(self.executed())))
        })
        .await
    }

    /// Makes attempts as the fail mode has it.
    async fn governed(&self, outgoing: Outgoing) -> Result<Incoming> {
        self.channel.budget().called();
        if let Some(server) = &self.pinned {
            return self.attempt(&outgoing, 1, Place::At(Arc::clone(server))).await.0;
        }
        let mode = self.governance.fail_mode.unwrap_or_default();
        if mode == FailMode::Failbackup {
            self.check_idempotent()?;
        }
        let mut retrying = Retrying::default();
        let mut place = Place::Not(Vec::new());
        loop {
            let number = retrying.attempt();
            let (result, server) = match mode {
                FailMode::Failbackup => self.hedged(&outgoing, number, place).await,
                _ => self.attempt(&outgoing, number, place).await,
            };
            let Err(error) = result else { return result };
            if let Error::Timeout { after, .. } = error
                && self.request.options.deadline.is_some_and(|end| end <= Instant::now())
            {
                // It was the time of the whole call.
                return Err(Error::Timeout { after, executed: self.executed() });
            }
            let (channel, info) = (&self.channel, self.request.info);
            match retrying.after(&error, server.as_ref(), channel, info, &self.governance) {
                Verdict::Stop => return Err(retrying.of_all_attempts(error)),
                Verdict::Again { same_server, pause } => {
                    if let Some(pause) = pause {
                        tokio::time::sleep(pause).await;
                    }
                    let stays =
                        |server: &Arc<Endpoint>| same_server && channel.cluster().has(server);
                    place = match server.filter(stays) {
                        Some(server) => Place::At(server),
                        None => Place::Not(retrying.failed().to_vec()),
                    };
                }
            }
        }
    }

    fn check_idempotent(&self) -> Result<()> {
        let rule = self.governance.retry.unwrap_or_default();
        if self.request.info.is_idempotent() || rule == RetryRule::AtLeastOnce {
            return Ok(());
        }
        let (service, method) = (self.request.info.service_path(), self.request.info.name());
        let reason = Refusal::NotIdempotent { method: format!("{service}.{method}") };
        Err(Error::NotExecuted { reason })
    }

    /// Makes an attempt, and another one if the first has not answered within the backup latency.
    async fn hedged(&self, outgoing: &Outgoing, number: u32, place: Place) -> Tried {
        let mut first = pin!(self.attempt(outgoing, number, place));
        let latency = self.governance.backup_latency.unwrap_or(BACKUP_LATENCY);
        if let Ok(done) = tokio::time::timeout(latency, first.as_mut()).await {
            return done;
        }
        let avoided: Vec<_> = self.last().into_iter().collect();
        let cluster = self.channel.cluster();
        if !cluster.has_other(&avoided) || !self.channel.budget().try_retry() {
            return first.await;
        }
        let mut second = pin!(self.attempt(outgoing, number, Place::Not(avoided)));
        let mut calls = [Some(first.as_mut()), Some(second.as_mut())];
        let mut failed: Option<Tried> = None;
        // Whoever answers first is taken; one that fails leaves the field to the other.
        let done = poll_fn(|cx| {
            for place in &mut calls {
                let Some(call) = place else { continue };
                let Poll::Ready(done) = call.as_mut().poll(cx) else { continue };
                *place = None;
                if done.0.is_ok() {
                    return Poll::Ready(done);
                }
                match failed.take() {
                    // If both have failed, the one that may have run is the one that counts.
                    Some(other) if may_have_run(&other) => return Poll::Ready(other),
                    Some(_) => return Poll::Ready(done),
                    None => failed = Some(done),
                }
            }
            Poll::Pending
        })
        .await;
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) =
            done.1.as_ref().map(|server| server.address().clone());
        done
    }

    /// Makes one attempt, with what interceptors do around it.
    async fn attempt(&self, outgoing: &Outgoing, number: u32, place: Place) -> Tried {
        let mut request = self.request.clone();
        request.arguments = request.arguments.with_payload(outgoing.payload.clone());
        let mut attempts = match place {
            Place::At(server) => Attempts::at(request, server, number),
            Place::Not(avoided) => Attempts::single(request, avoided, number),
        };
        if let Err(error) = poll_fn(|cx| attempts.poll_server(&self.channel, cx)).await {
            return (Err(error), None);
        }
        let server = attempts.server().cloned();
        let address = attempts.address().cloned();
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&address);
        let outgoing = Outgoing { address, attempt: number, ..outgoing.clone() };
        let end =
            OneAttempt { managed: self, attempts: Mutex::new(Some(attempts)), server, number };
        let layers = &self.channel.settings().interceptors.0;
        let result = Next { rest: layers, level: Level::Attempt, end: &end }.run(outgoing).await;
        (result, end.server)
    }

    /// Tells what servers may have done so far.
    fn executed(&self) -> Executed {
        if self.maybe_ran.load(Ordering::Relaxed) > 0 { Executed::Maybe } else { Executed::No }
    }

    fn last(&self) -> Option<Address> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Where an attempt is to go.
enum Place {
    At(Arc<Endpoint>),
    Not(Vec<Address>),
}

/// How an attempt ended, and where it was made.
type Tried = (Result<Incoming>, Option<Arc<Endpoint>>);

fn may_have_run((result, _): &Tried) -> bool {
    result.as_ref().is_err_and(|error| error.executed() != Executed::No)
}

impl End for Managed {
    fn run(&self, request: Outgoing) -> BoxFuture<'_, Result<Incoming>> {
        Box::pin(self.governed(request))
    }
}

/// An attempt at the end of its interceptors.
struct OneAttempt<'a> {
    managed: &'a Managed,
    attempts: Mutex<Option<Attempts<Encoded>>>,
    server: Option<Arc<Endpoint>>,
    number: u32,
}

impl End for OneAttempt<'_> {
    fn run(&self, request: Outgoing) -> BoxFuture<'_, Result<Incoming>> {
        let attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner).take();
        Box::pin(async move {
            let managed = self.managed;
            let mut attempts = match (attempts, &self.server) {
                (Some(attempts), _) => attempts,
                // An interceptor goes on a second time.
                (None, Some(server)) => {
                    let request = managed.request.clone();
                    Attempts::at(request, Arc::clone(server), self.number)
                }
                (None, None) => return Err(Error::NoServer { why: "none was chosen".to_owned() }),
            };
            attempts.send_instead(request.metadata, request.payload);
            // One that is given up on its way counts, too.
            managed.maybe_ran.fetch_add(1, Ordering::Relaxed);
            let result = poll_fn(|cx| attempts.poll(&managed.channel, cx)).await;
            if result.as_ref().is_err_and(|error| error.executed() == Executed::No) {
                managed.maybe_ran.fetch_sub(1, Ordering::Relaxed);
            }
            result.map(|message| Incoming { message, address: request.address })
        })
    }
}

/// How long the first server has before a second one is called too, as in Go rpcx 1.9.4.
const BACKUP_LATENCY: Duration = Duration::from_millis(10);
