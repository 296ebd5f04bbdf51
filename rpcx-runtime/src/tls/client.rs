//! How a client speaks TLS.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use rustls::client::ResolvesClientCert;
use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, SignatureScheme};

use super::pem::{Pem, certificates, key, roots};
use super::{HAS_CIPHERS, TlsError, provider};
use crate::address::{Address, Network};

/// How a client speaks TLS: which authorities it trusts, and as whom it shows itself.
///
/// Only the authorities that are given here are trusted, not those of the operating system: services normally
/// have an authority of their own. If a public one signed a server's certificate, give the system's bundle, on
/// Debian `/etc/ssl/certs/ca-certificates.crt`.
///
/// A server's certificate must be for the host of its address, a name or an IP address, or for
/// [`server_name`](Self::server_name). There is no way around that check but a rustls configuration of your own.
/// TLS 1.2 and 1.3 are spoken.
///
/// Clones share one state: [`reload`](Self::reload) and [`replace`](Self::replace) on any of them hold for all
/// further handshakes of the clients that were given one; connections that are there stay.
///
/// ```no_run
/// # use rpcx::client::{Channel, Client as _};
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use rpcx::tls::ClientTls;
///
/// let tls = ClientTls::from_file("ca.pem")?.identity_files("client.pem", "client.key")?;
/// let channel = Channel::builder().tls(tls).connect_to("tcp@arith.example:8972").await?;
/// # drop(channel); Ok(()) }
/// ```
#[derive(Clone)]
pub struct ClientTls {
    current: Arc<ArcSwap<Current>>,
    server_name: Option<ServerName<'static>>,
}

/// What further handshakes are done with.
struct Current {
    /// None for a configuration of the program's own.
    source: Option<Source>,
    config: Arc<ClientConfig>,
    /// A server has asked for a certificate.
    asked: Arc<AtomicBool>,
}

#[derive(Clone, Debug)]
struct Source {
    authorities: Pem,
    /// A certificate and its key.
    identity: Option<(Pem, Pem)>,
}

impl ClientTls {
    /// Trusts servers whose certificates one of these authorities signed, and no others.
    ///
    /// `authorities` is PEM with one certificate or several.
    ///
    /// # Errors
    ///
    /// [`TlsError`] if there is no certificate in it, or something that is none.
    pub fn new(authorities: impl AsRef<[u8]>) -> Result<Self, TlsError> {
        Self::of(Source { authorities: Pem::of(authorities), identity: None }, None)
    }

    /// Trusts the authorities in this file, which [`reload`](Self::reload) reads again; as
    /// [`new`](Self::new) otherwise. Reading blocks.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new), and what the operating system says of the file.
    pub fn from_file(authorities: impl Into<PathBuf>) -> Result<Self, TlsError> {
        Self::of(Source { authorities: Pem::File(authorities.into()), identity: None }, None)
    }

    /// Shows this certificate to servers that ask for one (mutual TLS). Without it, none is shown.
    ///
    /// `certificates` is PEM: the certificate, then those between it and the authority, if there are any.
    /// `key` is PEM, in PKCS #8, PKCS #1 or SEC 1, not encrypted.
    ///
    /// # Errors
    ///
    /// [`TlsError`] if one of them cannot be read, or the key is not the certificate's; or if this is a
    /// rustls configuration, where that is set itself.
    pub fn identity(
        self,
        certificates: impl AsRef<[u8]>,
        key: impl AsRef<[u8]>,
    ) -> Result<Self, TlsError> {
        self.with_identity(Pem::of(certificates), Pem::of(key))
    }

    /// As [`identity`](Self::identity), from files which [`reload`](Self::reload) reads again.
    ///
    /// # Errors
    ///
    /// Those of [`identity`](Self::identity), and what the operating system says of the files.
    pub fn identity_files(
        self,
        certificates: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> Result<Self, TlsError> {
        self.with_identity(Pem::File(certificates.into()), Pem::File(key.into()))
    }

    /// Sets for whom the servers' certificates must be, whatever their addresses say: a DNS name or an IP
    /// address. Clones made before keep what they had.
    ///
    /// # Errors
    ///
    /// [`TlsError`] if it is neither.
    pub fn server_name(mut self, name: &str) -> Result<Self, TlsError> {
        let parsed = ServerName::try_from(name).map_err(|_| TlsError(not_a_name(name)))?;
        self.server_name = Some(parsed.to_owned());
        Ok(self)
    }

    /// Reads the files again, for all further handshakes: the authorities, the certificate and the key, as far
    /// as they came from files. Sessions from before are not resumed.
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

    /// Takes what `other` trusts and shows now, for all further handshakes; its server name is not taken.
    pub fn replace(&self, other: &Self) {
        self.current.store(other.current.load_full());
    }

    fn of(source: Source, server_name: Option<ServerName<'static>>) -> Result<Self, TlsError> {
        let current = Arc::new(ArcSwap::from_pointee(Current::of(source)?));
        Ok(Self { current, server_name })
    }

    fn with_identity(self, certificates: Pem, key: Pem) -> Result<Self, TlsError> {
        let Some(mut source) = self.current.load().source.clone() else {
            let problem = "a rustls configuration says itself which certificate is shown";
            return Err(TlsError(problem.to_owned()));
        };
        source.identity = Some((certificates, key));
        Self::of(source, self.server_name)
    }

    /// Gives what the next handshake is done with, and what notes that the server asks for a certificate.
    pub(crate) fn config(&self) -> (Arc<ClientConfig>, Arc<AtomicBool>) {
        let current = self.current.load();
        (Arc::clone(&current.config), Arc::clone(&current.asked))
    }

    /// Gives for whom the certificate of the server at `address` must be.
    pub(crate) fn name_at(&self, address: &Address) -> Result<ServerName<'static>, TlsError> {
        if let Some(name) = &self.server_name {
            return Ok(name.clone());
        }
        if address.network() != Network::Tcp {
            let problem = "TLS: the address names no host that a certificate could be for: give \
                           `ClientTls::server_name`";
            return Err(TlsError(problem.to_owned()));
        }
        let target = address.target();
        let host = target.rsplit_once(':').map_or(target, |(host, _)| host);
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let name = ServerName::try_from(host);
        let name = name.map_err(|_| TlsError(format!("TLS: {}", not_a_name(host))))?;
        Ok(name.to_owned())
    }
}

fn not_a_name(name: &str) -> String {
    format!("`{name}` is no DNS name or IP address that a certificate could be for")
}

impl Current {
    fn of(source: Source) -> Result<Self, TlsError> {
        let (authorities, what) = source.authorities.read("the authorities")?;
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect(HAS_CIPHERS)
            .with_root_certificates(roots(&what, &authorities)?);
        let config = match &source.identity {
            None => builder.with_no_client_auth(),
            Some((chain, secret)) => {
                let (chain, what) = chain.read("the client's certificate")?;
                let chain = certificates(&what, &chain)?;
                let (secret, what) = secret.read("the client's key")?;
                let secret = key(&what, &secret)?;
                builder
                    .with_client_auth_cert(chain, secret)
                    .map_err(|error| TlsError::of("the client's certificate or key", &error))?
            }
        };
        Ok(Self::with(Some(source), config))
    }

    fn with(source: Option<Source>, mut config: ClientConfig) -> Self {
        let asked = Arc::default();
        let inner = config.client_auth_cert_resolver;
        config.client_auth_cert_resolver = Arc::new(Noting { inner, asked: Arc::clone(&asked) });
        Self { source, config: Arc::new(config), asked }
    }
}

impl Source {
    fn has_files(&self) -> bool {
        let identity = self.identity.iter().flat_map(|(chain, key)| [chain, key]);
        identity.chain([&self.authorities]).any(Pem::is_file)
    }
}

/// Notes that a server has asked for a certificate.
///
/// With TLS 1.3 a client learns only after its handshake what the server makes of that certificate.
#[derive(Debug)]
struct Noting {
    inner: Arc<dyn ResolvesClientCert>,
    asked: Arc<AtomicBool>,
}

impl ResolvesClientCert for Noting {
    fn resolve(
        &self,
        root_hint_subjects: &[&[u8]],
        sigschemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::Relaxed);
        self.inner.resolve(root_hint_subjects, sigschemes)
    }

    fn only_raw_public_keys(&self) -> bool {
        self.inner.only_raw_public_keys()
    }

    fn has_certs(&self) -> bool {
        self.inner.has_certs()
    }
}

impl From<ClientConfig> for ClientTls {
    /// Speaks TLS as a configuration of the program's own says.
    fn from(config: ClientConfig) -> Self {
        let current = Arc::new(ArcSwap::from_pointee(Current::with(None, config)));
        Self { current, server_name: None }
    }
}

impl From<Arc<ClientConfig>> for ClientTls {
    /// Speaks TLS as a configuration of the program's own says.
    fn from(config: Arc<ClientConfig>) -> Self {
        Arc::unwrap_or_clone(config).into()
    }
}

impl fmt::Debug for ClientTls {
    /// Leaves certificates and keys out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientTls")
            .field("source", &self.current.load().source)
            .field("server_name", &self.server_name)
            .finish()
    }
}
