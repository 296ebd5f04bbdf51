//! A registry server with TLS, and its certificates.

use super::{Authority, Folder, Pair, PrivateServer};

/// Whom a registry lets in.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Clients {
    Any,
    /// Those that show a certificate of the registry's own authority.
    WithCertificate,
}

/// A registry server with TLS; it ends with this value.
pub(crate) struct EncryptedServer {
    server: PrivateServer,
    _certificates: Folder,
}

impl EncryptedServer {
    /// Starts a server whose certificate is for `127.0.0.1` alone; gives none if the test is skipped.
    pub(crate) fn start(
        name: &'static str,
        authority: &Authority,
        clients: Clients,
        test: &str,
    ) -> Option<Self> {
        let certificates = Folder::new();
        let Pair { certificate, key } = authority.sign(&["127.0.0.1"]);
        certificates.write("ca.pem", authority.certificate());
        certificates.write("server.pem", &certificate);
        certificates.write("server.key", &key);
        let path = certificates.path().to_str().expect("the path is text").to_owned();
        let mut environment = vec![("RPCX_REGISTRIES_TLS", path)];
        if clients == Clients::WithCertificate {
            environment.push(("RPCX_REGISTRIES_MUTUAL", "yes".to_owned()));
        }
        let server = PrivateServer::start_with(name, environment, test)?;
        Some(Self { server, _certificates: certificates })
    }

    /// Ends it at once and starts it again, with its data and its certificates.
    pub(crate) fn restart(&self) {
        self.server.kill();
        self.server.start_again();
    }

    /// Where it listens, as `127.0.0.1:port`.
    pub(crate) fn address(&self) -> &str {
        self.server.address()
    }
}
