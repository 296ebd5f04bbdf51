//! Certificates and keys in PEM, from memory or from files.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::TlsError;

/// Where PEM comes from.
#[derive(Clone)]
pub(super) enum Pem {
    Bytes(Vec<u8>),
    /// Read again with each reload.
    File(PathBuf),
}

impl Pem {
    pub(super) fn of(bytes: impl AsRef<[u8]>) -> Self {
        Self::Bytes(bytes.as_ref().to_vec())
    }

    pub(super) fn is_file(&self) -> bool {
        matches!(self, Self::File(_))
    }

    /// Gives the bytes, and what an error calls them.
    pub(super) fn read(&self, what: &str) -> Result<(Cow<'_, [u8]>, String), TlsError> {
        match self {
            Self::Bytes(bytes) => Ok((Cow::Borrowed(bytes), what.to_owned())),
            Self::File(path) => {
                let what = format!("{what}, `{}`", path.display());
                let read = std::fs::read(path);
                let bytes = read.map_err(|error| TlsError::of(&what, &error))?;
                Ok((Cow::Owned(bytes), what))
            }
        }
    }
}

impl fmt::Debug for Pem {
    /// Leaves the bytes out: they may be a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(_) => f.write_str("Bytes"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

/// Takes PEM for the text that it is.
pub(crate) fn text(what: &str, pem: &[u8]) -> Result<String, TlsError> {
    String::from_utf8(pem.to_vec()).map_err(|_| TlsError(format!("{what}: no PEM, which is text")))
}

/// Reads at least one certificate.
pub(crate) fn certificates(
    what: &str,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let read = read.map_err(|error| TlsError::of(what, &error))?;
    if read.is_empty() {
        return Err(TlsError(format!("{what}: no certificate in PEM is there")));
    }
    Ok(read)
}

/// Reads a private key.
pub(crate) fn key(what: &str, pem: &[u8]) -> Result<PrivateKeyDer<'static>, TlsError> {
    // The reader's own error would say nothing of the key, but it is not worth the risk.
    PrivateKeyDer::from_pem_slice(pem)
        .map_err(|_| TlsError(format!("{what} is no private key in PEM")))
}

/// Reads the authorities that are to be trusted, at least one.
pub(crate) fn roots(what: &str, pem: &[u8]) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(what, pem)? {
        roots.add(certificate).map_err(|error| TlsError::of(what, &error))?;
    }
    Ok(roots)
}
