//! What `derive(ServiceError)` generates calls of: errors as JSON texts.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, ServiceError};
use crate::wire::ErrorWire;

/// An error type that has a JSON form.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no JSON form to be sent in",
    label = "not serializable",
    note = "`derive(ServiceError)` sends the error as JSON: it is owned, `Send`, and implements `serde::Serialize` and `serde::Deserialize`; add `#[derive(serde::Serialize, serde::Deserialize)]` to `{Self}`"
)]
pub trait TypedError: Serialize + DeserializeOwned + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + 'static> TypedError for T {}

/// What the `other` variant holds.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot hold what comes from elsewhere",
    label = "write `rpcx::Error`",
    note = "the `other` variant receives transport errors and texts that are no JSON of the type: it holds an `rpcx::Error`, or another type that implements `rpcx::ServiceError`"
)]
pub trait OtherError: ServiceError {}

#[diagnostic::do_not_recommend]
impl<T: ServiceError> OtherError for T {}

#[rustfmt::skip]
pub const fn other_error<E: OtherError>() -> ErrorWire<E> { ErrorWire::new() }

#[rustfmt::skip]
pub const fn typed_error<E: TypedError>() -> TypedWire<E> { TypedWire::new() }

/// How the errors of a type cross the wire as JSON texts.
pub struct TypedWire<E> {
    to_wire: fn(&E) -> String,
    read: fn(Error) -> Result<E, Error>,
}

impl<E> TypedWire<E> {
    const fn new() -> Self
    where
        E: TypedError,
    {
        Self { to_wire, read }
    }

    /// Gives the JSON text of an error. One that has none is sent as the reason.
    pub fn to_wire(&self, error: &E) -> String {
        (self.to_wire)(error)
    }

    /// Reads an error that a server sent.
    ///
    /// # Errors
    ///
    /// The error as it came, if it is not the server's or its text no JSON of the type.
    pub fn read(&self, error: Error) -> Result<E, Error> {
        (self.read)(error)
    }
}

impl<E> fmt::Debug for TypedWire<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TypedWire").finish_non_exhaustive()
    }
}

fn to_wire<E: TypedError>(error: &E) -> String {
    json::write(error).unwrap_or_else(|why| format!("the error has no JSON form: {why}"))
}

fn read<E: TypedError>(error: Error) -> Result<E, Error> {
    match error {
        Error::Service(text) => json::read(&text).ok_or(Error::Service(text)),
        other => Err(other),
    }
}

#[cfg(feature = "json")]
mod json {
    use serde::Serialize;
    use serde::de::DeserializeOwned;

    pub(super) fn write<T: Serialize>(value: &T) -> Result<String, String> {
        serde_json::to_string(value).map_err(|error| error.to_string())
    }

    pub(super) fn read<T: DeserializeOwned>(text: &str) -> Option<T> {
        serde_json::from_str(text).ok()
    }
}

/// Never called: a derive without the feature is a compile error, and this keeps it the only one.
#[cfg(not(feature = "json"))]
mod json {
    pub(super) fn write<T>(_: &T) -> Result<String, String> {
        Err("the cargo feature `json` is off".to_owned())
    }

    pub(super) fn read<T>(_: &str) -> Option<T> {
        None
    }
}
