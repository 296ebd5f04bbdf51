//! What the user said about ZooKeeper.

#[cfg(feature = "zookeeper-tls")]
use rustls::crypto::CryptoProvider;
#[cfg(feature = "zookeeper-tls")]
use rustls::pki_types::ServerName;
#[cfg(feature = "zookeeper-tls")]
use zookeeper_client::TlsOptions;
use zookeeper_client::{Acl, Acls, Client, Connector, Error, Permission};

use crate::registry::SettingsError;
#[cfg(feature = "zookeeper-tls")]
use crate::registry::Tls;
use crate::registry::credentials::Credentials;
use crate::registry::endpoint::{Encryption, without_scheme};
use crate::registry::settings::Settings;

/// What the user said about ZooKeeper.
#[derive(Clone, Debug)]
pub(super) struct ZooKeeperOptions {
    pub(super) settings: Settings,
    pub(super) credentials: Option<Credentials>,
    #[cfg(feature = "zookeeper-tls")]
    pub(super) tls: Option<Tls>,
}

impl ZooKeeperOptions {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            credentials: None,
            #[cfg(feature = "zookeeper-tls")]
            tls: None,
        }
    }

    /// Gives the servers, each `host:port`.
    pub(super) fn servers(&self) -> Result<Vec<&str>, SettingsError> {
        if self.settings.servers.is_empty() {
            return Err(SettingsError("no ZooKeeper server is given".to_owned()));
        }
        let encryption = self.encryption();
        let servers = self.settings.servers.iter();
        servers
            .map(|server| {
                let server = without_scheme("ZooKeeper", server, encryption)?;
                if encryption == Encryption::Tls { with_name(server) } else { Ok(server) }
            })
            .collect()
    }

    #[cfg(feature = "zookeeper-tls")]
    pub(super) fn encryption(&self) -> Encryption {
        if self.tls.is_some() { Encryption::Tls } else { Encryption::None }
    }

    #[cfg(not(feature = "zookeeper-tls"))]
    #[expect(clippy::unused_self, reason = "as with the feature `zookeeper-tls`")]
    pub(super) fn encryption(&self) -> Encryption {
        Encryption::None
    }

    /// Gives who may do what with the nodes that are made.
    pub(super) fn acls(&self) -> Acls<'static> {
        if self.credentials.is_some() { Acls::new(&PROTECTED) } else { Acls::anyone_all() }
    }

    /// Says who this process is; each session anew, for a session is what knows it.
    pub(super) fn introduce(&self, connector: Connector) -> Connector {
        match &self.credentials {
            None => connector,
            Some(Credentials { user, password }) => {
                connector.with_auth("digest", format!("{user}:{password}").as_bytes())
            }
        }
    }

    /// Opens a session at any of the servers, which are separated by commas.
    #[cfg(feature = "zookeeper-tls")]
    pub(super) async fn connect(
        &self,
        connector: Connector,
        servers: &str,
    ) -> Result<Client, Error> {
        match &self.tls {
            None => connector.connect(servers).await,
            Some(tls) => connector.with_tls(tls_options(tls)?).secure_connect(servers).await,
        }
    }

    #[cfg(not(feature = "zookeeper-tls"))]
    pub(super) async fn connect(
        &self,
        connector: Connector,
        servers: &str,
    ) -> Result<Client, Error> {
        connector.connect(servers).await
    }

    /// Checks what the user said that needs no server to be known as wrong.
    pub(super) fn check(&self) -> Result<(), SettingsError> {
        // The user ends at the first colon.
        if self
            .credentials
            .as_ref()
            .is_some_and(|own| own.user.is_empty() || own.user.contains(':'))
        {
            let problem = "the user of the credentials is empty or has a `:`";
            return Err(SettingsError(problem.to_owned()));
        }
        self.servers().map(drop)
    }
}

/// Says the same in the words of ZooKeeper's client, which reads PEM itself.
///
/// It also asks for the process's crypto provider, and rustls panics where there is none but two are
/// built in, as they are with this client. So ring becomes the process's, unless the program has one.
#[cfg(feature = "zookeeper-tls")]
fn tls_options(tls: &Tls) -> Result<TlsOptions, Error> {
    if CryptoProvider::get_default().is_none() {
        // It fails if another thread was first, which is just as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    let options = TlsOptions::new().with_pem_ca(tls.authorities())?;
    match tls.certificate_and_key() {
        None => Ok(options),
        Some((certificate, key)) => options.with_pem_identity(certificate, key),
    }
}

/// Checks that a certificate can have the server's name: the client takes that for granted.
#[cfg(feature = "zookeeper-tls")]
fn with_name(server: &str) -> Result<&str, SettingsError> {
    match ServerName::try_from(host(server)) {
        Ok(_) => Ok(server),
        Err(_) => Err(SettingsError(format!("no certificate can be for the server `{server}`"))),
    }
}

#[cfg(not(feature = "zookeeper-tls"))]
#[expect(clippy::unnecessary_wraps, reason = "as with the feature `zookeeper-tls`")]
fn with_name(server: &str) -> Result<&str, SettingsError> {
    Ok(server)
}

/// Gives the host of `host:port/chroot`, `host` or `[::1]:port`.
pub(super) fn host(server: &str) -> &str {
    let server = server.split('/').next().unwrap_or_default();
    match server.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, _)) => host,
        None => server.rsplit_once(':').map_or(server, |(host, _)| host),
    }
}

/// Who has the credentials may do anything, all others may look.
static PROTECTED: [Acl; 2] = [
    Acl::new_const(Permission::ALL, "auth", ""),
    Acl::new_const(Permission::READ, "world", "anyone"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn options(server: &str) -> ZooKeeperOptions {
        ZooKeeperOptions::new(Settings::new([server]))
    }

    #[test]
    fn a_server_has_a_host() {
        for (server, found) in [
            ("h:2181", "h"),
            ("h", "h"),
            ("h:2181/chroot", "h"),
            ("[::1]:2181", "::1"),
            ("[::1]", "::1"),
        ] {
            assert_eq!(host(server), found, "{server}");
        }
    }

    #[test]
    fn messages_never_show_the_password() {
        let mut options = options("h:1");
        options.credentials = Some(Credentials::new("ada", "secret"));
        let text = format!("{options:?}");
        assert!(text.contains("ada") && !text.contains("secret"), "{text}");
    }

    #[test]
    fn a_user_that_would_be_another_is_refused() {
        for user in ["", "a:b"] {
            let mut options = options("h:1");
            options.credentials = Some(Credentials::new(user, "p"));
            let problem = "the user of the credentials is empty or has a `:`";
            assert_eq!(options.check().unwrap_err().to_string(), problem);
        }
    }

    #[test]
    fn a_scheme_that_is_not_kept_is_refused() {
        let problem = "`https://h:1` asks for TLS, and none is configured";
        assert_eq!(options("https://h:1").check().unwrap_err().to_string(), problem);
        let problem = "a server of ZooKeeper is `host:port`, not `tcp+tls://h:1`";
        assert_eq!(options("tcp+tls://h:1").check().unwrap_err().to_string(), problem);
    }
}
