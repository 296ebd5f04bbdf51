//! How a call copes with servers that fail.

use std::time::Duration;

use crate::modes::{FailMode, RetryRule};

/// How a call copes with servers that fail, as far as one place says so.
///
/// The call itself counts more than the builder, the builder more than the method's attribute, and
/// that more than the trait's.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Governance {
    pub(crate) fail_mode: Option<FailMode>,
    pub(crate) retries: Option<u32>,
    pub(crate) retry: Option<RetryRule>,
    pub(crate) retry_interval: Option<Duration>,
    pub(crate) backup_latency: Option<Duration>,
    pub(crate) attempt_timeout: Option<Duration>,
}

impl Governance {
    pub(crate) const fn new() -> Self {
        Self {
            fail_mode: None,
            retries: None,
            retry: None,
            retry_interval: None,
            backup_latency: None,
            attempt_timeout: None,
        }
    }

    /// Fills what is open from a place that counts less.
    pub(crate) fn or(self, other: &Self) -> Self {
        Self {
            fail_mode: self.fail_mode.or(other.fail_mode),
            retries: self.retries.or(other.retries),
            retry: self.retry.or(other.retry),
            retry_interval: self.retry_interval.or(other.retry_interval),
            backup_latency: self.backup_latency.or(other.backup_latency),
            attempt_timeout: self.attempt_timeout.or(other.attempt_timeout),
        }
    }
}
