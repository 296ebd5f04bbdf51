//! How a server speaks TLS.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;

use super::pem::{Pem, certificates, key, roots};
use super::{HAS_CIPHERS, TlsError, provider};

/// How a server speaks TLS: as whom it shows itself, and which clients it lets in.
///
/// TLS 1.2 and 1.3 are spoken. Clones share one state: [`reload`](Self::reload) and
/// [`replace`](Self::replace) on any of them hold for all further handshakes of the servers that were given
/// one; connections that are there stay.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use rpcx::Server;
/// use rpcx::tls::ServerTls;
///
/// let tls = ServerTls::from_files("server.pem", "server.key")?
///     .client_authorities_file("clients-ca.pem")?; // mutual TLS
/// let server = Server::new().tls(tls.clone()).bind("tcp@0.0.0.0:8972").await?;
/// // Whenever the files have changed:
/// tls.reload()?;
/// # drop(server); Ok(()) }
/// ```
#[derive(Clone)]
pub struct ServerTls {
    current: Arc<ArcSwap<Current>>,
}

/// What further handshakes are done with.
struct Current {
    /// None for a configuration of the program's own.
    source: Option<Source>,
    config: Arc<ServerConfig>,
}

#[derive(Clone, Debug)]
struct Source {
    certificates: Pem,
    key: Pem,
    clients: Option<Clients>,
}

/// Whose clients are let in.
#[derive(Clone, Debug)]
struct Clients {
    authorities: Pem,
    optional: bool,
}

impl ServerTls {
    /// Shows this certificate to clients, any of which may come.
    ///
    /// `certificates` is PEM: the certificate, then those between it and the authority, if there are any.
    /// `key` is PEM, in PKCS #8, PKCS #1 or SEC 1, not encrypted.
    ///
    /// # Errors
    ///
    /// [`TlsError`] if one of them cannot be read, or the key is not the certificate's.
    pub fn new(certificates: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Result<Self, TlsError> {
        Self::of(Source { certificates: Pem::of(certificates), key: Pem::of(key), clients: None })
    }

    /// Shows the certificate in these files, which [`reload`](Self::reload) reads again; as
    /// [`new`](Self::new) otherwise. Reading blocks.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new), and what the operating system says of the files.
    pub fn from_files(
        certificates: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> Result<Self, TlsError> {
        let (certificates, key) = (Pem::File(certificates.into()), Pem::File(key.into()));
        Self::of(Source { certificates, key, clients: None })
    }

    /// Lets only clients in that show a certificate which one of these authorities signed (mutual TLS).
    ///
    /// `authorities` is PEM with one certificate or several. Handlers see whom they serve:
    /// [`Context::peer_identity`](crate::Context::peer_identity).
    ///
    /// # Errors
    ///
    /// [`TlsError`] if there is no certificate in it, or something that is none; or if this is a rustls
    /// configuration, where a verifier is set itself.
    pub fn client_authorities(self, authorities: impl AsRef<[u8]>) -> Result<Self, TlsError> {
        self.with_clients(Pem::of(authorities))
    }

    /// As [`client_authorities`](Self::client_authorities), from a file which [`reload`](Self::reload) reads
    /// again.
    ///
    /// # Errors
    ///
    /// Those of [`client_authorities`](Self::client_authorities), and what the operating system says.
    pub fn client_authorities_file(self, file: impl Into<PathBuf>) -> Result<Self, TlsError> {
        self.with_clients(Pem::File(file.into()))
    }

    /// Lets clients in as well that show no certificate. One that is shown must be signed all the same.
    ///
    /// # Errors
    ///
    /// [`TlsError`] if no [`client_authorities`](Self::client_authorities) were given before.
    pub fn client_certificate_optional(self) -> Result<Self, TlsError> {
        let mut source = self.source()?;
        let Some(clients) = &mut source.clients else {
            return Err(TlsError("no authorities of clients are given".to_owned()));
        };
        clients.optional = true;
        Self::of(source)
    }

    /// Reads the files again, for all further handshakes: the certificate, the key, and the authorities of
    /// clients, as far as they came from files. Sessions from before are not resumed.
    ///
    /// Reading blocks. Nothing reads them by itself: call this from a timer, a signal or a file watcher.
    ///
    /// # Errors
    ///
    /// [`TlsError`] as when they were read first, also between the writing of one file and the other; then
    /// everything stays as it was. And if nothing came from a file.
    pub fn reload(&self) -> Result<(), TlsError> {
        let current = self.current.load();
        let source = current.source.as_ref().filter(|source| source.has_files());
        let source = source.ok_or_else(TlsError::without_files)?;
        self.current.store(Arc::new(Current::of(source.clone())?));
        Ok(())
    }

    /// Takes what `other` has now, for all further handshakes.
    pub fn replace(&self, other: &Self) {
        self.current.store(other.current.load_full());
    }

    fn of(source: Source) -> Result<Self, TlsError> {
        Ok(Self { current: Arc::new(ArcSwap::from_pointee(Current::of(source)?)) })
    }

    fn with_clients(self, authorities: Pem) -> Result<Self, TlsError> {
        let mut source = self.source()?;
        source.clients = Some(Clients { authorities, optional: false });
        Self::of(source)
    }

    fn source(&self) -> Result<Source, TlsError> {
        self.current.load().source.clone().ok_or_else(|| {
            TlsError("a rustls configuration says itself which clients it lets in".to_owned())
        })
    }

    /// Gives what the next handshake is done with.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.load().config)
    }
}

impl Current {
    fn of(source: Source) -> Result<Self, TlsError> {
        let (chain, what) = source.certificates.read("the server's certificate")?;
        let chain = certificates(&what, &chain)?;
        let (secret, what) = source.key.read("the server's key")?;
        let secret = key(&what, &secret)?;
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect(HAS_CIPHERS);
        let builder = match &source.clients {
            None => builder.with_no_client_auth(),
            Some(clients) => builder.with_client_cert_verifier(clients.verifier()?),
        };
        let config = builder
            .with_single_cert(chain, secret)
            .map_err(|error| TlsError::of("the server's certificate or key", &error))?;
        Ok(Self { source: Some(source), config: Arc::new(config) })
    }
}

impl Source {
    fn has_files(&self) -> bool {
        let authorities = self.clients.as_ref().map(|clients| &clients.authorities);
        [&self.certificates, &self.key].into_iter().chain(authorities).any(Pem::is_file)
    }
}

impl Clients {
    fn verifier(&self) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
        let (authorities, what) = self.authorities.read("the authorities of clients")?;
        let roots = Arc::new(roots(&what, &authorities)?);
        let builder = WebPkiClientVerifier::builder_with_provider(roots, provider());
        let builder = if self.optional { builder.allow_unauthenticated() } else { builder };
        builder.build().map_err(|error| TlsError::of(&what, &error))
    }
}

impl From<Arc<ServerConfig>> for ServerTls {
    /// Speaks TLS as a configuration of the program's own says.
    fn from(config: Arc<ServerConfig>) -> Self {
        Self { current: Arc::new(ArcSwap::from_pointee(Current { source: None, config })) }
    }
}

impl From<ServerConfig> for ServerTls {
    /// Speaks TLS as a configuration of the program's own says.
    fn from(config: ServerConfig) -> Self {
        Arc::new(config).into()
    }
}

impl fmt::Debug for ServerTls {
    /// Leaves certificates and keys out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTls").field("source", &self.current.load().source).finish()
    }
}
