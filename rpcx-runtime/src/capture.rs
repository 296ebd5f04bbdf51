//! Answers that interceptors of the server see before they are sent.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

use crate::extensions::Extensions;
use crate::metadata::Metadata;

/// An answer that is not written yet.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) metadata: Metadata,
    /// The encoded reply, before compression.
    pub(crate) result: Result<Bytes, Failure>,
}

/// An error on its way to the caller.
#[derive(Clone)]
pub(crate) struct Failure {
    pub(crate) text: String,
    /// The call was not run, and will not be.
    pub(crate) refused: bool,
}

impl Default for Failure {
    /// For an exchange that answered nothing, which none does.
    fn default() -> Self {
        Self { text: format!("{INTERNAL_ERROR} there is no answer"), refused: false }
    }
}

/// What belongs to a call beside its message: most calls have none of it, so it is in one place.
#[derive(Default)]
pub(crate) struct Beside {
    pub(crate) extensions: Extensions,
    /// Where an exchange puts its answer instead of sending it, if interceptors are to see it.
    capture: Option<Mutex<Option<Answer>>>,
}

impl Beside {
    pub(crate) fn new(extensions: Extensions) -> Self {
        Self { extensions, capture: None }
    }

    pub(crate) fn capturing(extensions: Extensions) -> Self {
        Self { extensions, capture: Some(Mutex::default()) }
    }

    pub(crate) fn is_capturing(&self) -> bool {
        self.capture.is_some()
    }

    pub(crate) fn put(&self, answer: Answer) {
        if let Some(capture) = &self.capture {
            *capture.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        }
    }

    pub(crate) fn take(&self) -> Answer {
        let capture = self.capture.as_ref();
        let answer =
            capture.map(|answer| answer.lock().unwrap_or_else(PoisonError::into_inner).take());
        answer.flatten().unwrap_or_else(|| Answer {
            metadata: Metadata::new(),
            result: Err(Failure::default()),
        })
    }
}

/// How texts begin of errors that are the server's own fault, as in Go rpcx 1.9.4.
pub(crate) const INTERNAL_ERROR: &str = "[service internal error]:";
