//! Who the other side has proved to be.

use std::fmt;
use std::sync::Arc;

use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;

/// Who a client has proved to be in the handshake: the certificate that one of the server's
/// [`client_authorities`](super::ServerTls::client_authorities) signed.
///
/// Clones are cheap. With a rustls configuration of your own, what was proved is what its verifier says.
#[derive(Clone, Eq, PartialEq)]
pub struct PeerIdentity {
    chain: Arc<[CertificateDer<'static>]>,
}

impl PeerIdentity {
    /// Takes what the other side showed, if it showed something.
    pub(crate) fn of(chain: Option<&[CertificateDer<'static>]>) -> Option<Self> {
        let chain = chain.filter(|chain| !chain.is_empty())?;
        Some(Self { chain: chain.into() })
    }

    /// Gives the certificates in DER as they were shown: the client's own first, then those between it and
    /// the authority. There is at least one.
    pub fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// Tells whether the certificate is for this host: a DNS name or an IP address among its subject
    /// alternative names, wildcards included. The subject's common name does not count.
    ///
    /// Services that know each other by names ask this: `identity.is_for("billing.internal")`.
    pub fn is_for(&self, host: &str) -> bool {
        let Some(certificate) = self.chain.first() else { return false };
        let parsed = ParsedCertificate::try_from(certificate);
        match (parsed, ServerName::try_from(host)) {
            (Ok(certificate), Ok(name)) => verify_server_name(&certificate, &name).is_ok(),
            _ => false,
        }
    }
}

impl fmt::Debug for PeerIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeerIdentity").field("certificates", &self.chain.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use rcgen::generate_simple_self_signed;

    use super::*;

    #[test]
    fn a_certificate_is_for_its_names_alone() {
        let names = ["billing.internal", "*.shop.internal", "10.0.0.7"].map(str::to_owned);
        let certificate = generate_simple_self_signed(names).unwrap().cert.der().clone();
        let identity = PeerIdentity::of(Some(&[certificate])).unwrap();
        for name in ["billing.internal", "Billing.Internal", "a.shop.internal", "10.0.0.7"] {
            assert!(identity.is_for(name), "{name}");
        }
        for name in ["internal", "a.b.shop.internal", "10.0.0.8", "rcgen self signed cert", "", "?"]
        {
            assert!(!identity.is_for(name), "{name}");
        }
        assert_eq!(PeerIdentity::of(Some(&[])), None);
        assert_eq!(PeerIdentity::of(None), None);
    }

    #[test]
    fn what_cannot_be_read_is_for_nobody() {
        let identity = PeerIdentity::of(Some(&[CertificateDer::from(vec![0x30, 0])])).unwrap();
        assert!(!identity.is_for("h"));
    }
}
