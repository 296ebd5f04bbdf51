//! How each server has been doing, and which of them are passed over for it.
//!
//! Nobody sets this up and nothing runs on its own: what becomes of calls tells. A server that
//! cannot be reached is passed over as long as there is any other. A server that is reached and
//! keeps failing is ejected for a while, which is a judgement that may be wrong: never more than
//! half of the servers are ejected, and never the last one.
//!
//! After its time one call goes to the server as a [`Probe`], while others keep avoiding it.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::backoff::doubled;
use super::timer::LONGEST;
use crate::address::Address;

/// When a server that keeps failing is passed over, and for how long.
///
/// By default that is after 5 failures of its connections or calls that got no answer in time,
/// without an answer between them; an error that the service itself answers is no failure. The
/// server gets no calls for a second, then one call; if that fails too, for two seconds, and so on
/// up to 30 s. Up to a fifth comes on top at random, so that clients do not come back all at once.
/// An answer ends it.
///
/// Never more than half of the servers are passed over for this reason, and never all that can be
/// reached: if more of them fail, those that were ejected longest ago are called again. A server
/// that cannot be connected to is no such judgement: it is passed over as long as another can be
/// reached, with or without ejection. So is one that lost a connection with calls on it, for 0.1 s.
///
/// Go rpcx 1.9.4 has nothing like it: a server is called until the registry drops it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ejection {
    failures: u32,
    first: Duration,
    longest: Duration,
}

impl Ejection {
    /// Takes the defaults.
    #[must_use]
    pub const fn new() -> Self {
        Self { failures: 5, first: Duration::from_secs(1), longest: Duration::from_secs(30) }
    }

    /// Sets how many failures in a row eject a server, at least 1; the default is 5.
    #[must_use]
    pub fn failures(mut self, failures: u32) -> Self {
        self.failures = failures.max(1);
        self
    }

    /// Sets how long a server is ejected at first; the default is 1 s.
    #[must_use]
    pub const fn first(mut self, time: Duration) -> Self {
        self.first = time;
        self
    }

    /// Sets how long a server is ejected at most; the default is 30 s, the limit a year.
    #[must_use]
    pub fn longest(mut self, time: Duration) -> Self {
        self.longest = time.min(LONGEST);
        self
    }
}

impl Default for Ejection {
    fn default() -> Self {
        Self::new()
    }
}

/// What went wrong between this side and a server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Failure {
    /// There was no connection. To be told once a dial, not by all that waited for it.
    Dial,
    /// A connection was lost. To be told once a connection: with all the calls that waited on it,
    /// a single restart would eject a server.
    Lost,
    /// A call got no answer in time.
    Slow,
}

/// What choosing between servers has to know of one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Standing {
    /// Nothing speaks against it.
    Good,
    /// It could not be connected to lately.
    Unreachable,
    /// It lost a connection with calls on it a moment ago.
    Severed,
    /// It failed too often, the last time at this time.
    Ejected { since: Instant },
    /// It was passed over long enough: one call may go there, with [`Health::try_probe`].
    ProbeDue,
}

/// How many servers of a channel are in trouble: as long as there are none, nothing else is looked
/// at.
#[derive(Clone, Debug, Default)]
pub(super) struct Trouble(Arc<AtomicUsize>);

impl Trouble {
    /// Tells whether the [`Standing`] of any server is not `Good`.
    pub(super) fn any(&self) -> bool {
        // Relaxed: who learns of it a moment later only tries a server in vain.
        self.0.load(Ordering::Relaxed) > 0
    }

    /// Notes that one more server, or its breaker, is in trouble.
    pub(super) fn begin(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes that one is no longer.
    pub(super) fn end(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How one server has been doing.
#[derive(Debug)]
pub(super) struct Health {
    address: Address,
    times: Ejection,
    ejects: bool,
    trouble: Trouble,
    /// What most calls need to know of `record`: its [`Record::mood`].
    mood: AtomicU8,
    /// It said that it is about to stop, and nobody has reached it since.
    leaving: AtomicBool,
    record: Mutex<Record>,
}

/// All counts are since the last success.
#[derive(Debug, Default)]
struct Record {
    /// Failures in a row, other than dials.
    failures: u32,
    /// Failed dials since one succeeded.
    dials: u32,
    ejections: u32,
    /// Why and until when the server is passed over.
    out: Option<Out>,
    /// How often it was, since ever; may wrap.
    outs: u32,
    /// A probe is on its way.
    probing: bool,
}

#[derive(Clone, Copy, Debug)]
struct Out {
    cause: Cause,
    since: Instant,
    until: Instant,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Cause {
    Unreachable,
    /// A connection was lost that calls waited on.
    Severed,
    Ejected,
}

impl Out {
    /// Tells whether nothing that is heard of the server ends this: it may be of before the connection was
    /// lost, or a server that is ending.
    fn is_fresh_loss(&self) -> bool {
        self.cause == Cause::Severed && Instant::now() < self.until
    }

    /// Tells whether a connection ends this.
    fn ends_when_reached(&self) -> bool {
        matches!(self.cause, Cause::Unreachable | Cause::Severed) && !self.is_fresh_loss()
    }
}

impl Health {
    /// Without an `ejection` only servers that cannot be reached are passed over.
    pub(super) fn new(address: Address, ejection: Option<Ejection>, trouble: Trouble) -> Self {
        Self {
            address,
            times: ejection.unwrap_or_default(),
            ejects: ejection.is_some(),
            trouble,
            mood: AtomicU8::new(FLAWLESS),
            leaving: AtomicBool::new(false),
            record: Mutex::default(),
        }
    }

    /// Tells how the server stands: without a lock as long as it stands well.
    pub(super) fn standing(&self) -> Standing {
        // Relaxed, as in `Trouble`.
        if self.mood.load(Ordering::Relaxed) != OUT {
            return Standing::Good;
        }
        let record = self.lock();
        match record.out {
            None => Standing::Good,
            Some(out) if !record.probing && out.until <= Instant::now() => Standing::ProbeDue,
            Some(Out { cause: Cause::Ejected, since, .. }) => Standing::Ejected { since },
            Some(Out { cause: Cause::Severed, .. }) => Standing::Severed,
            Some(Out { cause: Cause::Unreachable, .. }) => Standing::Unreachable,
        }
    }

    /// Notes that the server answered a call.
    pub(super) fn succeeded(&self) {
        if self.mood.load(Ordering::Relaxed) == FLAWLESS {
            return;
        }
        let mut record = self.lock();
        let (outs, probing) = (record.outs, record.probing);
        let out = record.out.filter(Out::is_fresh_loss);
        let now = Record { out, outs, probing, ..Record::default() };
        let before = std::mem::replace(&mut *record, now);
        self.put(record);
        if before.out.is_some() && out.is_none() {
            self.report_return();
        }
    }

    /// Notes that the server said that it is about to stop: it is passed over as if it could not be reached.
    ///
    /// It may say so on each of its connections, and again and again: that is one failure.
    pub(super) fn leaves(&self) {
        if !self.leaving.swap(true, Ordering::Relaxed) {
            self.failed(Failure::Dial);
        }
    }

    /// Tells whether the server said so, and nobody has reached it since.
    pub(super) fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Relaxed)
    }

    /// Notes that there is a connection, which is not yet to say that the server answers.
    ///
    /// What was only unreachable is good again; what had been ejected before is to be probed.
    pub(super) fn reached(&self) {
        self.leaving.store(false, Ordering::Relaxed);
        if self.mood.load(Ordering::Relaxed) == FLAWLESS {
            return;
        }
        let mut record = self.lock();
        record.dials = 0;
        let unreachable = record.out.is_some_and(|out| out.ends_when_reached());
        let doubtful = record.ejections > 0;
        if unreachable {
            let now = Instant::now();
            let out = Out { cause: Cause::Ejected, since: now, until: now };
            record.out = doubtful.then_some(out);
        }
        self.put(record);
        if unreachable && !doubtful {
            self.report_return();
        }
    }

    /// Notes that a connection was lost that calls waited on: for a moment calls go elsewhere.
    ///
    /// The system closes the sockets of a process that was killed one after the other, and may let clients in
    /// while their connections are being closed: calls would be lost twice. To be told before those calls are.
    pub(super) fn severed(&self) {
        let record = self.lock();
        if record.out.is_none_or(|out| out.cause == Cause::Severed) {
            self.put_out(record, Cause::Severed);
        }
    }

    /// Notes a failure of a call that was no [`Probe`], or of a dial.
    ///
    /// While the server is passed over only dials count: other news are of calls from before.
    pub(super) fn failed(&self, failure: Failure) {
        let mut record = self.lock();
        match failure {
            Failure::Dial => return self.put_out(record, Cause::Unreachable),
            Failure::Lost | Failure::Slow if !self.ejects => return,
            Failure::Lost | Failure::Slow
                if record.out.is_some_and(|out| out.cause != Cause::Severed) =>
            {
                return;
            }
            Failure::Lost | Failure::Slow => record.failures = record.failures.saturating_add(1),
        }
        if record.failures >= self.times.failures {
            self.put_out(record, Cause::Ejected);
        } else {
            self.put(record);
        }
    }

    /// Takes the place of the one call that may see how the server is, if it is time and free.
    pub(super) fn try_probe(self: &Arc<Self>) -> Option<Probe> {
        let mut record = self.lock();
        let due = record.out.is_some_and(|out| out.until <= Instant::now());
        if !due || record.probing {
            return None;
        }
        record.probing = true;
        let number = record.outs;
        drop(record);
        tracing::debug!(server = %self.address, "one call goes to see how the server is");
        Some(Probe { health: Arc::clone(self), number })
    }

    /// Passes the server over for a while, longer each time.
    fn put_out(&self, mut record: MutexGuard<'_, Record>, cause: Cause) {
        let Ejection { first, longest, .. } = self.times;
        let time = match cause {
            Cause::Unreachable => {
                record.dials = record.dials.saturating_add(1);
                doubled(first, record.dials - 1, longest)
            }
            Cause::Severed => PAUSE,
            Cause::Ejected => {
                record.failures = 0;
                record.ejections = record.ejections.saturating_add(1);
                jittered(doubled(first, record.ejections - 1, longest))
            }
        };
        let since = Instant::now();
        let until = (since + time).max(record.out.map_or(since, |out| out.until));
        let before = record.out.replace(Out { cause, since, until });
        let known = before.is_some_and(|out| out.cause != Cause::Severed);
        record.outs = record.outs.wrapping_add(1);
        self.put(record);
        match (cause, known) {
            (Cause::Severed, _) => {
                tracing::info!(server = %self.address, ?time, "a connection with calls was lost: avoided");
            }
            (Cause::Unreachable, false) => {
                tracing::warn!(server = %self.address, ?time, "server cannot be reached: avoided");
            }
            (Cause::Ejected, false) => {
                tracing::warn!(server = %self.address, ?time, "server keeps failing: ejected");
            }
            (_, true) => {
                tracing::info!(server = %self.address, ?cause, ?time, "server still avoided");
            }
        }
    }

    fn report_return(&self) {
        tracing::info!(server = %self.address, "server is well again");
    }

    fn lock(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends a change: what others glance at has to follow.
    fn put(&self, record: MutexGuard<'_, Record>) {
        let after = record.mood();
        let before = self.mood.swap(after, Ordering::Relaxed);
        match (before == OUT, after == OUT) {
            (false, true) => self.trouble.begin(),
            (true, false) => self.trouble.end(),
            (true, true) | (false, false) => {}
        }
        drop(record);
    }
}

impl Drop for Health {
    /// A server that is gone troubles nobody.
    fn drop(&mut self) {
        if *self.mood.get_mut() == OUT {
            self.trouble.end();
        }
    }
}

impl Record {
    fn mood(&self) -> u8 {
        match self {
            Self { out: Some(_), .. } => OUT,
            Self { failures: 0, dials: 0, ejections: 0, .. } => FLAWLESS,
            _ => COUNTING,
        }
    }
}

/// The one call that may see how a server is: its outcome is to be told.
///
/// If it is dropped instead, as the call was given up, the next call may be one.
#[derive(Debug)]
#[must_use = "dropped, it frees its place at once"]
pub(super) struct Probe {
    health: Arc<Health>,
    /// Which time of being passed over it may end.
    number: u32,
}

impl Probe {
    /// Notes that the server answered.
    pub(super) fn succeeded(self) {
        self.health.succeeded();
    }

    /// Notes that the call failed. For a failed dial, whoever dialled has already said so: the probe
    /// may as well be dropped.
    pub(super) fn failed(self, failure: Failure) {
        let record = self.health.lock();
        let current = record.out.filter(|_| record.outs == self.number);
        match (failure, current.map(|out| out.cause)) {
            (Failure::Dial, None) => {}
            (Failure::Dial, Some(_)) => self.health.put_out(record, Cause::Unreachable),
            (Failure::Lost | Failure::Slow, Some(Cause::Ejected)) => {
                self.health.put_out(record, Cause::Ejected);
            }
            (Failure::Lost | Failure::Slow, _) => {
                drop(record);
                // It did reach the server.
                if current.is_some() {
                    self.health.reached();
                }
                self.health.failed(failure);
            }
        }
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.health.lock().probing = false;
    }
}

/// Gives the places of those that calls may go to, in order; there is one unless there is nobody.
///
/// Those that are ejected are left out, but no more than half of all: those that were ejected
/// longest ago come back first. Those that have just lost a connection are left out as long as there are
/// others that did not fail, those that cannot be reached as long as anybody can.
///
/// Only of use if [`Trouble::any`].
pub(super) fn usable(standings: &[Standing]) -> Vec<usize> {
    let ejected = ejected(standings);
    let too_many = ejected.len().saturating_sub(standings.len() / 2);
    let good = |place: &usize| matches!(standings[*place], Standing::Good | Standing::ProbeDue);
    let mut usable: Vec<usize> = (0..standings.len()).filter(good).collect();
    if usable.is_empty() {
        // What may be an accident is better than what keeps failing.
        let is_severed = |place: &usize| standings[*place] == Standing::Severed;
        usable.extend((0..standings.len()).filter(is_severed));
    }
    usable.extend(&ejected[..too_many]);
    if usable.is_empty() {
        // An ejected server can at least be reached.
        usable.extend(&ejected);
    }
    if usable.is_empty() {
        usable.extend(0..standings.len());
    }
    usable.sort_unstable();
    usable
}

/// Gives the places of the ejected, those first that have been so for longest.
fn ejected(standings: &[Standing]) -> Vec<usize> {
    let since = |(place, standing): (usize, &Standing)| match standing {
        Standing::Ejected { since } => Some((*since, place)),
        Standing::Good | Standing::Unreachable | Standing::Severed | Standing::ProbeDue => None,
    };
    let mut ejected: Vec<_> = standings.iter().enumerate().filter_map(since).collect();
    ejected.sort_unstable();
    ejected.into_iter().map(|(_, place)| place).collect()
}

/// Adds up to a fifth.
fn jittered(time: Duration) -> Duration {
    time.mul_f64(1.0 + JITTER * fastrand::f64())
}

const JITTER: f64 = 0.2;
/// How long calls go elsewhere once a connection with calls was lost.
const PAUSE: Duration = Duration::from_millis(100);

/// Nothing to speak of since the last success.
const FLAWLESS: u8 = 0;
/// Something, but not enough to pass the server over.
const COUNTING: u8 = 1;
/// Passed over, or about to be probed.
const OUT: u8 = 2;

#[cfg(test)]
mod tests;
