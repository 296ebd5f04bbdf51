//! TLS to registries: who is trusted, and who this process is.

use std::fmt;
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

use super::SettingsError;
use crate::tls::{HAS_CIPHERS, TlsError, certificates, key, provider, roots, text};

/// How connections to a registry are encrypted: which authorities are trusted, and as whom this process
/// shows itself.
///
/// For `Etcd::tls`, `Consul::tls` and `ZooKeeper::tls`. Only the authorities that are given here are
/// trusted, not those of the operating system: a registry normally has an authority of its own. If a
/// public one signed its certificate, give the system's bundle, on Debian
/// `/etc/ssl/certs/ca-certificates.crt`.
///
/// A server's certificate must be for the host by which the registry names it, a name or an IP address;
/// there is no way around that check. TLS 1.2 and 1.3 are spoken.
///
/// ```no_run
/// # #[cfg(feature = "consul")]
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use rpcx::registry::{Consul, Tls};
///
/// let tls = Tls::new(std::fs::read("ca.pem")?)?
///     .identity(std::fs::read("client.pem")?, std::fs::read("client.key")?)?;
/// let consul = Consul::new(["consul.example:8501"]).tls(tls);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Tls {
    parts: Arc<Parts>,
}

struct Parts {
    /// As they were given: etcd's and ZooKeeper's clients want to read them themselves.
    authorities: String,
    identity: Option<Identity>,
    roots: RootCertStore,
    config: ClientConfig,
}

/// A certificate and its key, in PEM.
#[derive(Clone)]
struct Identity {
    certificates: String,
    key: String,
}

impl Tls {
    /// Trusts servers whose certificates one of these authorities signed, and no others.
    ///
    /// `authorities` is PEM with one certificate or several.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] if there is no certificate in it, or something that is none.
    pub fn new(authorities: impl AsRef<[u8]>) -> Result<Self, SettingsError> {
        let what = "the authorities";
        let authorities = text(what, authorities.as_ref())?;
        let roots = roots(what, authorities.as_bytes())?;
        let config = trusting(roots.clone()).with_no_client_auth();
        Ok(Self { parts: Arc::new(Parts { authorities, identity: None, roots, config }) })
    }

    /// Shows this certificate to servers that ask for one (mutual TLS). Without it, none is shown.
    ///
    /// `certificates` is PEM: the certificate, then those between it and the authority, if there are
    /// any. `key` is PEM, in PKCS #8, PKCS #1 or SEC 1, not encrypted.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] if one of them cannot be read, or the key is not the certificate's.
    pub fn identity(
        self,
        certificates: impl AsRef<[u8]>,
        key: impl AsRef<[u8]>,
    ) -> Result<Self, SettingsError> {
        let what = "the client's certificate";
        let chain = text(what, certificates.as_ref())?;
        let certificates = self::certificates(what, chain.as_bytes())?;
        let what = "the client's key";
        let secret = text(what, key.as_ref())?;
        let key = self::key(what, secret.as_bytes())?;
        let roots = self.parts.roots.clone();
        let config = trusting(roots.clone())
            .with_client_auth_cert(certificates, key)
            .map_err(|error| TlsError::of("the client's certificate or key", &error))?;
        let authorities = self.parts.authorities.clone();
        let identity = Some(Identity { certificates: chain, key: secret });
        Ok(Self { parts: Arc::new(Parts { authorities, identity, roots, config }) })
    }

    pub(super) fn config(&self) -> ClientConfig {
        self.parts.config.clone()
    }

    pub(super) fn authorities(&self) -> &str {
        &self.parts.authorities
    }

    /// Gives the certificate and the key.
    pub(super) fn certificate_and_key(&self) -> Option<(&str, &str)> {
        self.parts.identity.as_ref().map(|own| (own.certificates.as_str(), own.key.as_str()))
    }
}

impl fmt::Debug for Tls {
    /// Leaves the key out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("authorities", &self.parts.roots.len())
            .field("identity", &self.parts.identity.is_some())
            .finish()
    }
}

/// Gives a configuration that trusts nobody, for connections that are not encrypted: without any,
/// reqwest looks for the process's crypto provider, and panics if there is none.
pub(super) fn trusting_nobody() -> ClientConfig {
    trusting(RootCertStore::empty()).with_no_client_auth()
}

/// Begins a configuration.
fn trusting(
    roots: RootCertStore,
) -> rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert> {
    ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect(HAS_CIPHERS)
        .with_root_certificates(roots)
}

impl From<TlsError> for SettingsError {
    fn from(error: TlsError) -> Self {
        Self(error.0)
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertifiedKey, generate_simple_self_signed};

    use super::*;

    fn pair() -> (String, String) {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["h".to_owned()]).unwrap();
        (cert.pem(), signing_key.serialize_pem())
    }

    fn problem(result: Result<Tls, SettingsError>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        let (_, key) = pair();
        for nothing in ["", "no PEM", key.as_str()] {
            let expected = "the authorities: no certificate in PEM is there";
            assert_eq!(problem(Tls::new(nothing)), expected);
        }
        assert_eq!(problem(Tls::new(b"\xff")), "the authorities: no PEM, which is text");
        let cut = "-----BEGIN CERTIFICATE-----\nMII";
        assert!(problem(Tls::new(cut)).starts_with("the authorities: "));
        let nonsense = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
        assert!(problem(Tls::new(nonsense)).starts_with("the authorities: "));
    }

    #[test]
    fn a_key_that_is_none_or_another_certificates_is_refused() {
        let ((certificate, key), (_, other)) = (pair(), pair());
        let tls = Tls::new(&certificate).unwrap();
        assert!(tls.clone().identity(&certificate, &key).is_ok());
        let none = tls.clone().identity(&certificate, "-----BEGIN PRIVATE KEY-----\nsecret");
        assert_eq!(problem(none), "the client's key is no private key in PEM");
        let expected = "the client's certificate or key: keys may not be consistent: KeyMismatch";
        assert_eq!(problem(tls.clone().identity(&certificate, other)), expected);
        let none = tls.identity("", key);
        assert_eq!(problem(none), "the client's certificate: no certificate in PEM is there");
    }

    #[test]
    fn messages_never_show_the_key() {
        let (certificate, key) = pair();
        let tls = Tls::new(&certificate).unwrap().identity(&certificate, &key).unwrap();
        assert_eq!(format!("{tls:?}"), "Tls { authorities: 1, identity: true }");
    }
}
