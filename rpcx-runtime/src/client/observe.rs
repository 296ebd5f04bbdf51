//! What a call tells about itself: tracing spans, and counters with the feature `metrics`.
//!
//! A call is the span `rpcx.call` (fields `service`, `method`, `outcome`), each of its attempts the span
//! `rpcx.attempt` in it (`server`, `number`, `outcome`), both at level DEBUG. Where nobody listens, that
//! costs a look at a flag.

use tracing::Span;
use tracing::field::Empty;

use super::settings::ChannelSettings;
use crate::address::Address;
use crate::error::{Error, Executed, Result};
use crate::protocol::{Message, Status};

/// Watches a call, or one attempt of it.
pub(super) struct Observer {
    span: Span,
    #[cfg(feature = "metrics")]
    counted: Option<super::counting::Counted>,
}

impl Default for Observer {
    /// Watches nothing.
    fn default() -> Self {
        Self {
            span: Span::none(),
            #[cfg(feature = "metrics")]
            counted: None,
        }
    }
}

impl Observer {
    /// Tells whether there is anything to watch for.
    #[inline]
    pub(super) fn is_wanted(settings: &ChannelSettings) -> bool {
        settings.counts() || tracing::enabled!(tracing::Level::DEBUG)
    }

    /// Begins to watch a call.
    pub(super) fn of_call(settings: &ChannelSettings, service: &str, method: &'static str) -> Self {
        #[cfg(not(feature = "metrics"))]
        let _ = settings;
        Self {
            span: tracing::debug_span!("rpcx.call", service, method, outcome = Empty),
            #[cfg(feature = "metrics")]
            counted: settings.counts().then(|| super::counting::Counted::call(service, method)),
        }
    }

    /// Begins to watch an attempt, within the span of its call.
    pub(super) fn of_attempt(settings: &ChannelSettings, server: &Address, number: u32) -> Self {
        #[cfg(not(feature = "metrics"))]
        let _ = settings;
        Self {
            span: tracing::debug_span!("rpcx.attempt", %server, number, outcome = Empty),
            #[cfg(feature = "metrics")]
            counted: settings.counts().then(|| super::counting::Counted::attempt(server)),
        }
    }

    /// Runs what belongs to it within its span.
    #[inline]
    pub(super) fn within<T>(&self, run: impl FnOnce() -> T) -> T {
        if self.span.is_none() { run() } else { self.span.in_scope(run) }
    }

    /// Tells whether anybody sees the span.
    #[inline]
    pub(super) fn is_seen(&self) -> bool {
        !self.span.is_none()
    }

    /// Gives the span, to run what belongs to it later.
    pub(super) fn span(&self) -> &Span {
        &self.span
    }

    /// Notes how it ended.
    #[inline]
    pub(super) fn ended(&mut self, result: &Result<Option<Message>>) {
        if !self.span.is_none() {
            self.span.record("outcome", outcome(result));
        }
        #[cfg(feature = "metrics")]
        if let Some(counted) = self.counted.take() {
            counted.ended(outcome(result));
        }
    }

    /// Notes that an attempt failed.
    pub(super) fn failed(&mut self, error: &Error) {
        if !self.span.is_none() {
            self.span.record("outcome", of_error(error));
        }
        #[cfg(feature = "metrics")]
        if let Some(counted) = self.counted.take() {
            counted.ended(of_error(error));
        }
    }
}

/// Gives a word for how a call, or an attempt, ended.
fn outcome(result: &Result<Option<Message>>) -> &'static str {
    match result {
        Ok(Some(message)) if message.header().status() == Status::Error => "service_error",
        Ok(_) => "ok",
        Err(error) => of_error(error),
    }
}

fn of_error(error: &Error) -> &'static str {
    match error {
        Error::NoServer { .. } => "no_server",
        Error::Connect { .. } => "connect",
        Error::NotExecuted { .. } => "not_executed",
        Error::ConnectionLost { executed: Executed::No, .. } => "connection_lost_unsent",
        Error::ConnectionLost { .. } => "connection_lost",
        Error::Timeout { .. } => "timeout",
        Error::Cancelled { .. } => "cancelled",
        Error::Protocol(_) => "protocol",
        Error::Service(_) => "service_error",
        _ => "not_sent",
    }
}
