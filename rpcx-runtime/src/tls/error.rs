//! Why settings of TLS cannot be used.

use std::fmt;

/// Why settings of TLS cannot be used; the text says which of them, and never shows a key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TlsError(pub(crate) String);

impl TlsError {
    pub(crate) fn of(what: &str, error: &dyn fmt::Display) -> Self {
        Self(format!("{what}: {error}"))
    }

    /// What was asked to be read again was given as bytes.
    pub(super) fn without_files() -> Self {
        Self("nothing came from a file that could be read again: use `replace`".to_owned())
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TlsError {}
