//! etcd's errors as text that a user can act on.

use std::fmt;

use etcd_client::Error;

use crate::registry::backend::BackendError;

/// What went wrong at etcd.
#[derive(Debug)]
struct EtcdError(Error);

/// Keeps an error; its text loses what only tells of gRPC.
pub(super) fn plain(error: Error) -> BackendError {
    Box::new(EtcdError(error))
}

impl fmt::Display for EtcdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Error::GRpcStatus(status) if !status.message().is_empty() => {
                write!(f, "etcd: {}", status.message())?;
                match innermost(status) {
                    Some(cause) => write!(f, ": {cause}"),
                    None => Ok(()),
                }
            }
            error => write!(f, "etcd: {error}"),
        }
    }
}

/// Gives what an error comes from; those between say the same again.
fn innermost(error: &dyn std::error::Error) -> Option<&(dyn std::error::Error + 'static)> {
    std::iter::successors(error.source(), |error| error.source()).last()
}

impl std::error::Error for EtcdError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}
