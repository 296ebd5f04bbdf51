//! etcd's errors as text that a user can act on.

use std::fmt;

use etcd_client::Error;

use crate::registry::backend::BackendError;
#[cfg(feature = "tls")]
use crate::tls::meaning;

/// What went wrong at etcd.
#[derive(Debug)]
struct EtcdError(Error);

/// Keeps an error; its text loses what only tells of gRPC.
pub(super) fn plain(error: Error) -> BackendError {
    Box::new(EtcdError(error))
}

impl fmt::Display for EtcdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = match &self.0 {
            Error::GRpcStatus(status) if !status.message().is_empty() => status,
            error => return write!(f, "etcd: {error}"),
        };
        let message = status.message();
        write!(f, "etcd: {message}")?;
        let cause = meaning(status).or_else(|| innermost(status)).unwrap_or_default();
        if !cause.is_empty() && cause != message {
            write!(f, ": {cause}")?;
        }
        if CLOSED.iter().any(|closed| cause.contains(closed)) {
            write!(f, "; {HINT}")?;
        }
        Ok(())
    }
}

/// Gives what an error comes from; those between say the same again.
fn innermost(error: &dyn std::error::Error) -> Option<String> {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.last().map(ToString::to_string)
}

/// Without TLS there are no errors of TLS.
#[cfg(not(feature = "tls"))]
fn meaning(_: &dyn std::error::Error) -> Option<String> {
    None
}

impl std::error::Error for EtcdError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// How a connection ends that one side wants to encrypt and the other does not: without a word. What a
/// server has to say of a certificate may come too late as well.
const CLOSED: [&str; 3] = ["broken pipe", "connection closed", "Connection reset"];
const HINT: &str =
    "if that stays so, the server may want TLS, or none, or a certificate of the client";
