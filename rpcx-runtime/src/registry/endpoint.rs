//! Where a registry is, and whether connections to it are encrypted.

use super::SettingsError;

/// Whether connections are encrypted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Encryption {
    None,
    Tls,
}

impl Encryption {
    pub(crate) fn scheme(self) -> &'static str {
        match self {
            Self::None => "http",
            Self::Tls => "https",
        }
    }
}

/// Gives `host:port` of a server that may have a scheme in front.
///
/// # Errors
///
/// [`SettingsError`] if the scheme is another one than TLS, or its absence, asks for: neither side of a
/// contradiction is chosen silently.
pub(crate) fn without_scheme<'a>(
    registry: &str,
    server: &'a str,
    encryption: Encryption,
) -> Result<&'a str, SettingsError> {
    let Some((scheme, rest)) = server.split_once("://") else { return Ok(server) };
    let problem = match (scheme, encryption) {
        ("http", Encryption::None) | ("https", Encryption::Tls) => return Ok(rest),
        ("https", Encryption::None) => format!("`{server}` asks for TLS, and none is configured"),
        ("http", Encryption::Tls) => format!("TLS is configured, and `{server}` is without it"),
        _ => format!("a server of {registry} is `host:port`, not `{server}`"),
    };
    Err(SettingsError(problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(server: &str, encryption: Encryption) -> Result<&str, String> {
        without_scheme("etcd", server, encryption).map_err(|error| error.to_string())
    }

    #[test]
    fn a_scheme_that_fits_is_dropped() {
        for encryption in [Encryption::None, Encryption::Tls] {
            assert_eq!(read("h:1", encryption), Ok("h:1"));
        }
        assert_eq!(read("http://h:1", Encryption::None), Ok("h:1"));
        assert_eq!(read("https://h:1", Encryption::Tls), Ok("h:1"));
    }

    #[test]
    fn a_contradiction_is_refused() {
        let asks = "`https://h:1` asks for TLS, and none is configured";
        assert_eq!(read("https://h:1", Encryption::None), Err(asks.to_owned()));
        let without = "TLS is configured, and `http://h:1` is without it";
        assert_eq!(read("http://h:1", Encryption::Tls), Err(without.to_owned()));
    }

    #[test]
    fn another_scheme_is_refused() {
        let problem = "a server of etcd is `host:port`, not `tcp://h:1`";
        assert_eq!(read("tcp://h:1", Encryption::Tls), Err(problem.to_owned()));
    }
}
