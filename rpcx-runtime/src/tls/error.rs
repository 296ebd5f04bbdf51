//! Why settings of TLS cannot be used.

use std::fmt;

/// Why settings of TLS cannot be used; the text says which of them, and never shows a key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TlsError(pub(crate) String);

impl TlsError {
    pub(crate) fn of(what: &str, error: &dyn fmt::Display) -> Self {
        Self(format!("{what}: {error}"))
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TlsError {}
