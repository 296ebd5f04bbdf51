//! Whether a failed call is made again, when, and where.

use std::sync::Arc;
use std::time::Duration;

use super::backoff::Backoff;
use super::channel::Channel;
use super::endpoint::Endpoint;
use crate::address::Address;
use crate::error::{Error, Executed};
use crate::governance::Governance;
use crate::method::MethodInfo;
use crate::modes::{FailMode, RetryRule};

/// How far a call has come with its attempts.
#[derive(Debug, Default)]
pub(super) struct Retrying {
    /// Servers that failed the call, where others are to be called instead.
    failed: Vec<Address>,
    /// Attempts that failed and counted.
    failures: u32,
    /// A free further attempt was had.
    renewed: bool,
    /// The server of an attempt that may have run.
    maybe_ran: Option<Address>,
}

/// What comes after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Verdict {
    /// Nothing: the call has failed.
    Stop,
    /// Another attempt.
    Again {
        /// At the same server, as long as it is in the list.
        same_server: bool,
        /// After this long.
        pause: Option<Duration>,
    },
}

impl Retrying {
    /// Gives the servers that the next attempt should not go to.
    pub(super) fn failed(&self) -> &[Address] {
        &self.failed
    }

    /// Gives the number of the attempt that is under way, from 1.
    pub(super) fn attempt(&self) -> u32 {
        self.failures + 1
    }

    /// Decides what comes after an attempt at `server` failed with `error`.
    ///
    /// Whatever the mode, a call is made once more, at once, if its connection turned out to be lost
    /// before a byte of the call had left: that of an idle client may have ended without its knowing.
    pub(super) fn after(
        &mut self,
        error: &Error,
        server: Option<&Arc<Endpoint>>,
        channel: &Channel,
        info: &MethodInfo,
        governance: &Governance,
    ) -> Verdict {
        let rule = governance.retry.unwrap_or_default();
        if !may_repeat(error, info, rule) {
            return Verdict::Stop;
        }
        if let (Executed::Maybe, Some(server)) = (error.executed(), server) {
            self.maybe_ran = Some(server.address().clone());
        }
        let lost = matches!(error, Error::ConnectionLost { executed: Executed::No, .. });
        let leaves = server.is_some_and(|server| server.health().is_leaving());
        if lost && !leaves && !std::mem::replace(&mut self.renewed, true) {
            return Verdict::Again { same_server: true, pause: None };
        }
        if let Some(server) = server.filter(|server| self.moves(error, server, channel)) {
            self.failed.push(server.address().clone());
            return Verdict::Again { same_server: false, pause: None };
        }
        let retries = governance.retries.unwrap_or(RETRIES);
        let mode = governance.fail_mode.unwrap_or_default();
        if mode == FailMode::Failfast || self.failures >= retries || !channel.budget().try_retry() {
            return Verdict::Stop;
        }
        self.failures += 1;
        let pause = Backoff::new(governance.retry_interval).pause(self.failures);
        if mode == FailMode::Failtry {
            return Verdict::Again { same_server: true, pause: Some(pause) };
        }
        self.failed.extend(server.map(|server| server.address().clone()));
        if channel.cluster().has_other(&self.failed) {
            return Verdict::Again { same_server: false, pause: governance.retry_interval };
        }
        // All have failed: once more round.
        self.failed.clear();
        Verdict::Again { same_server: false, pause: Some(pause) }
    }

    /// Tells whether the call goes elsewhere at no charge: its server has said that it is about to stop, and
    /// nothing was sent.
    fn moves(&self, error: &Error, server: &Arc<Endpoint>, channel: &Channel) -> bool {
        let unsent = matches!(
            error,
            Error::Connect { .. } | Error::ConnectionLost { executed: Executed::No, .. }
        );
        if !unsent || !server.health().is_leaving() || self.failed.contains(server.address()) {
            return false;
        }
        let avoided = [self.failed.as_slice(), &[server.address().clone()]].concat();
        channel.cluster().has_other(&avoided)
    }

    /// Gives the error of the call: that the last attempt did not run is not the whole truth if an
    /// earlier one may have.
    pub(super) fn of_all_attempts(&mut self, error: Error) -> Error {
        if error.executed() != Executed::No {
            return error;
        }
        match self.maybe_ran.take() {
            Some(address) => Error::ConnectionLost { address, executed: Executed::Maybe },
            None => error,
        }
    }

    /// Tells whether an earlier attempt may have run.
    pub(super) fn may_have_run(&self) -> bool {
        self.maybe_ran.is_some()
    }
}

/// Tells whether a call that failed with `error` may be made again at all.
fn may_repeat(error: &Error, info: &MethodInfo, rule: RetryRule) -> bool {
    let twice = info.is_idempotent() || rule == RetryRule::AtLeastOnce;
    match error {
        Error::Connect { .. } | Error::NotExecuted { .. } => true,
        Error::ConnectionLost { executed, .. } | Error::Timeout { executed, .. } => {
            *executed == Executed::No || twice
        }
        Error::Protocol(_) => rule == RetryRule::AtLeastOnce,
        _ => false,
    }
}

/// Further attempts unless the call, the builder or the trait say more, as in Go rpcx 1.9.4.
const RETRIES: u32 = 3;
