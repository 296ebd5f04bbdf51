//! What interceptors of the server send back.

use std::fmt;

use bytes::Bytes;

use crate::capture::{Answer, Failure, INTERNAL_ERROR};
use crate::error::Error;
use crate::metadata::Metadata;
use crate::service::DEADLINE_EXCEEDED;

/// What goes back to the caller: a reply, or the error that the service answered with.
#[derive(Clone)]
pub struct Outgoing {
    answer: Answer,
}

impl Outgoing {
    pub(super) fn new(answer: Answer) -> Self {
        Self { answer }
    }

    pub(in crate::server) fn into_answer(self) -> Answer {
        self.answer
    }

    /// Gives the metadata that go with it.
    pub fn metadata(&self) -> &Metadata {
        &self.answer.metadata
    }

    /// Gives the metadata to change them. rpcx's own keys are not sent.
    pub fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.answer.metadata
    }

    /// Gives the text of the service's error, if it answered with one: also where the handler panicked,
    /// ran out of time, or does not exist.
    pub fn error(&self) -> Option<&str> {
        self.answer.result.as_ref().err().map(|failure| &*failure.text)
    }

    /// Gives the encoded reply, before compression; empty with an error, and after a one-way call.
    pub fn payload(&self) -> Bytes {
        self.answer.result.as_ref().cloned().unwrap_or_default()
    }

    /// Replaces the answer by this reply, encoded in the codec of the request.
    pub fn set_payload(&mut self, payload: impl Into<Bytes>) {
        self.answer.result = Ok(payload.into());
    }

    /// Gives a word for it: `ok`, `service_error`, `internal_error` or `timeout`.
    fn outcome(&self) -> &'static str {
        self.error().map_or("ok", of_text)
    }
}

impl fmt::Debug for Outgoing {
    /// Leaves metadata, payload and the error's text out: they may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").field("outcome", &self.outcome()).finish_non_exhaustive()
    }
}

/// Why an interceptor does not let a call be answered.
#[derive(Clone, Debug)]
pub struct Rejection {
    text: String,
    refused: bool,
    closes: bool,
    metadata: Metadata,
}

impl Rejection {
    /// Answers with an error, like one of the service: nobody makes the call again.
    pub fn error(text: impl Into<String>) -> Self {
        Self { text: text.into(), refused: false, closes: false, metadata: Metadata::new() }
    }

    /// Answers that the call was not run, and will not be: only where `next` was not run. If a service has
    /// begun with the call all the same, this is an [`error`](Self::error) with the same text.
    ///
    /// A client of this crate gets [`Error::NotExecuted`](crate::Error::NotExecuted) and may make the call
    /// again, at another server if its fail mode says so; to a client of Go it is an error with this text.
    pub fn not_executed(why: impl Into<String>) -> Self {
        Self { refused: true, ..Self::error(why) }
    }

    /// Adds a pair to the metadata of the answer.
    #[must_use]
    pub fn metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(key, value);
        self
    }

    /// Ends the connection once the answer has left, as a token does that is not accepted.
    #[must_use]
    pub fn and_close(mut self) -> Self {
        self.closes = true;
        self
    }

    /// Gives the text that the caller gets.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Tells whether the call was not run, and will not be.
    pub fn is_not_executed(&self) -> bool {
        self.refused
    }

    pub(super) fn with_all(self, metadata: Metadata) -> Self {
        Self { metadata, ..self }
    }

    /// Takes back that the call was not run.
    pub(in crate::server) fn into_error(self) -> Self {
        Self { refused: false, ..self }
    }

    pub(in crate::server) fn closes(&self) -> bool {
        self.closes
    }

    pub(in crate::server) fn into_answer(self) -> Answer {
        let failure = Failure { text: self.text, refused: self.refused };
        Answer { metadata: self.metadata, result: Err(failure) }
    }

    /// Gives a word for it: `not_executed`, `internal_error`, or `rejected`.
    fn outcome(&self) -> &'static str {
        match of_text(&self.text) {
            _ if self.refused => "not_executed",
            "service_error" => "rejected",
            other => other,
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Rejection {}

impl From<Error> for Rejection {
    /// For an interceptor that makes calls itself. Whatever became of its own call, this one is over.
    fn from(error: Error) -> Self {
        Self::error(error.to_string())
    }
}

/// Gives a word for how a call ended.
pub(super) fn outcome_of(result: &Result<Outgoing, Rejection>) -> &'static str {
    match result {
        Ok(outgoing) => outgoing.outcome(),
        Err(rejection) => rejection.outcome(),
    }
}

/// Gives a word for an error's text, as far as the text is the server's own.
fn of_text(text: &str) -> &'static str {
    if text.starts_with(INTERNAL_ERROR) {
        "internal_error"
    } else if text == DEADLINE_EXCEEDED {
        "timeout"
    } else {
        "service_error"
    }
}
