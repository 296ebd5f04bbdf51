//! What the user said about Consul.

use std::fmt;

use reqwest::Url;
use reqwest::header::HeaderValue;

use super::ConsulLayout;
use super::backend::NAME;
use crate::registry::SettingsError;
#[cfg(feature = "tls")]
use crate::registry::Tls;
use crate::registry::endpoint::{Encryption, without_scheme};
use crate::registry::settings::Settings;

/// What the user said about Consul.
#[derive(Clone, Debug)]
pub(super) struct ConsulOptions {
    pub(super) settings: Settings,
    pub(super) token: Option<Token>,
    pub(super) layout: ConsulLayout,
    #[cfg(feature = "tls")]
    pub(super) tls: Option<Tls>,
}

impl ConsulOptions {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            token: None,
            layout: ConsulLayout::default(),
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    /// Gives the base path in Consul's form: without slashes at its ends.
    pub(super) fn base(&self) -> Result<&str, SettingsError> {
        let base = self.settings.base_path.trim_matches('/');
        if base.is_empty() {
            return Err(SettingsError("the base path is empty".to_owned()));
        }
        Ok(base)
    }

    /// Gives the endpoints as URLs.
    pub(super) fn endpoints(&self) -> Result<Vec<Url>, SettingsError> {
        if self.settings.servers.is_empty() {
            return Err(SettingsError("no Consul endpoint is given".to_owned()));
        }
        let encryption = self.encryption();
        self.settings.servers.iter().map(|server| endpoint(server, encryption)).collect()
    }

    #[cfg(feature = "tls")]
    pub(super) fn encryption(&self) -> Encryption {
        if self.tls.is_some() { Encryption::Tls } else { Encryption::None }
    }

    #[cfg(not(feature = "tls"))]
    #[expect(clippy::unused_self, reason = "as with the feature `tls`")]
    pub(super) fn encryption(&self) -> Encryption {
        Encryption::None
    }

    /// Writes into keys, and so needs a session.
    pub(super) fn writes_keys(&self) -> bool {
        matches!(self.layout, ConsulLayout::Kv | ConsulLayout::Both)
    }

    /// Registers native services.
    pub(super) fn writes_services(&self) -> bool {
        matches!(self.layout, ConsulLayout::Service | ConsulLayout::Both)
    }
}

fn endpoint(server: &str, encryption: Encryption) -> Result<Url, SettingsError> {
    let rest = without_scheme(NAME, server, encryption)?.trim_end_matches('/');
    let wrong = || SettingsError(format!("a Consul endpoint is `host:port`, not `{server}`"));
    let url = Url::parse(&format!("{}://{rest}", encryption.scheme())).map_err(|_| wrong())?;
    let plain = url.path() == "/" && url.query().is_none() && url.username().is_empty();
    if plain { Ok(url) } else { Err(wrong()) }
}

/// An ACL token, which messages never show.
#[derive(Clone)]
pub(super) struct Token(String);

impl Token {
    pub(super) fn new(token: String) -> Self {
        Self(token)
    }

    /// Gives the token as a header's value.
    pub(super) fn header(&self) -> Result<HeaderValue, SettingsError> {
        let header = HeaderValue::from_str(&self.0);
        let mut header = header
            .map_err(|_| SettingsError("the Consul token cannot stand in a header".to_owned()))?;
        header.set_sensitive(true);
        Ok(header)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(server: &str, base: &str) -> ConsulOptions {
        let mut options = ConsulOptions::new(Settings::new([server]));
        options.settings.base_path = base.to_owned();
        options
    }

    #[test]
    fn slashes_around_the_base_path_do_not_matter() {
        for base in ["rpcx_test", "/rpcx_test", "/rpcx_test/", "//rpcx_test"] {
            assert_eq!(options("h:1", base).base().unwrap(), "rpcx_test");
        }
    }

    #[test]
    fn an_empty_base_path_is_refused() {
        for base in ["", "/"] {
            let error = options("h:1", base).base().unwrap_err();
            assert_eq!(error.to_string(), "the base path is empty");
        }
    }

    #[test]
    fn an_endpoint_may_have_its_scheme() {
        for server in ["h:8500", "http://h:8500", "http://h:8500/"] {
            let endpoints = options(server, "/b").endpoints().unwrap();
            assert_eq!(endpoints[0].as_str(), "http://h:8500/");
        }
    }

    #[test]
    fn what_is_no_endpoint_is_named() {
        for (server, problem) in [
            ("https://h:8501", "`https://h:8501` asks for TLS, and none is configured"),
            ("h:8500/v1", "a Consul endpoint is `host:port`, not `h:8500/v1`"),
            ("", "a Consul endpoint is `host:port`, not ``"),
        ] {
            assert_eq!(options(server, "/b").endpoints().unwrap_err().to_string(), problem);
        }
    }

    #[test]
    fn messages_never_show_the_token() {
        let mut options = options("h:1", "/b");
        options.token = Some(Token::new("secret".to_owned()));
        assert!(!format!("{options:?}").contains("secret"));
        assert!(!format!("{:?}", options.token.unwrap().header().unwrap()).contains("secret"));
    }
}
