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
        if is_without_a_word(&cause) {
            write!(f, "; {HINT}")?;
        }
        Ok(())
    }
}

/// Tells whether the connection ended and nobody said why.
fn is_without_a_word(cause: &str) -> bool {
    // The system's texts begin with a capital, those of the standard library do not.
    let cause = cause.to_lowercase();
    CLOSED.iter().any(|closed| cause.contains(closed))
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
const CLOSED: [&str; 3] = ["broken pipe", "connection closed", "connection reset"];
const HINT: &str =
    "if that stays so, the server may want TLS, or none, or a certificate of the client";

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::*;

    #[test]
    fn a_connection_that_ends_without_a_word_is_known_by_any_of_its_texts() {
        for kind in [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe] {
            assert!(is_without_a_word(&Error::from(kind).to_string()));
        }
        for text in ["Connection reset by peer (os error 104)", "Broken pipe (os error 32)"] {
            assert!(is_without_a_word(text));
        }
        assert!(!is_without_a_word(&Error::from(ErrorKind::ConnectionRefused).to_string()));
    }
}
