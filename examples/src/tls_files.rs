//! The options with which the programs of the interop tests speak TLS.

use std::path::PathBuf;

use clap::Args;
use rpcx::tls::{ClientTls, ServerTls, TlsError};

/// Files of PEM.
#[derive(Args, Clone, Debug)]
pub struct TlsFiles {
    /// Who signed the certificates of the other side: with a client it then speaks TLS.
    #[arg(long)]
    ca: Option<PathBuf>,
    /// The certificate to show: with a server it then speaks TLS.
    #[arg(long, requires = "key")]
    cert: Option<PathBuf>,
    /// The key of the certificate.
    #[arg(long, requires = "cert")]
    key: Option<PathBuf>,
}

impl TlsFiles {
    /// Reads what a client needs; `None` if it speaks no TLS.
    ///
    /// # Errors
    ///
    /// What is wrong with a file.
    pub fn client(&self) -> Result<Option<ClientTls>, TlsError> {
        let Some(authorities) = &self.ca else { return Ok(None) };
        let tls = ClientTls::from_file(authorities)?;
        match (&self.cert, &self.key) {
            (Some(certificate), Some(key)) => tls.identity_files(certificate, key).map(Some),
            _ => Ok(Some(tls)),
        }
    }

    /// Reads what a server needs; `None` if it speaks no TLS.
    ///
    /// # Errors
    ///
    /// What is wrong with a file.
    pub fn server(&self) -> Result<Option<ServerTls>, TlsError> {
        let (Some(certificate), Some(key)) = (&self.cert, &self.key) else { return Ok(None) };
        let tls = ServerTls::from_files(certificate, key)?;
        match &self.ca {
            Some(authorities) => tls.client_authorities_file(authorities).map(Some),
            None => Ok(Some(tls)),
        }
    }
}
