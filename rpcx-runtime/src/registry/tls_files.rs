//! The files that the environment names for TLS.

#[cfg(not(feature = "tls"))]
use super::SettingsError;
#[cfg(feature = "tls")]
use super::{SettingsError, Tls};

/// The files that the environment names for TLS; each is PEM.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct TlsFiles {
    authorities: String,
    /// A certificate and its key.
    identity: Option<(String, String)>,
}

impl TlsFiles {
    /// Takes what the variables [`AUTHORITIES`], [`CERTIFICATE`] and [`KEY`] say.
    pub(crate) fn of(
        authorities: Option<String>,
        certificate: Option<String>,
        key: Option<String>,
    ) -> Result<Option<Self>, SettingsError> {
        let identity = match (certificate, key) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (Some(_), None) => return Err(lacking(CERTIFICATE, KEY)),
            (None, Some(_)) => return Err(lacking(KEY, CERTIFICATE)),
        };
        match authorities {
            Some(authorities) => Ok(Some(Self { authorities, identity })),
            None if identity.is_none() => Ok(None),
            None => Err(lacking(CERTIFICATE, AUTHORITIES)),
        }
    }

    #[cfg(feature = "tls")]
    pub(crate) fn read(&self) -> Result<Tls, SettingsError> {
        let read = |variable: &str, file: &str| {
            let read = std::fs::read(file);
            read.map_err(|error| SettingsError(format!("{variable} is `{file}`: {error}")))
        };
        let tls = Tls::new(read(AUTHORITIES, &self.authorities)?)?;
        match &self.identity {
            None => Ok(tls),
            Some((certificate, key)) => {
                tls.identity(read(CERTIFICATE, certificate)?, read(KEY, key)?)
            }
        }
    }
}

/// Refuses what this build cannot do; otherwise connections would silently not be encrypted.
#[cfg(any(
    all(feature = "zookeeper", not(feature = "zookeeper-tls")),
    all(any(feature = "consul", feature = "etcd"), not(feature = "tls")),
))]
pub(crate) fn refuse(tls: Option<&TlsFiles>, feature: &str) -> Result<(), SettingsError> {
    match tls {
        None => Ok(()),
        Some(_) => Err(SettingsError(format!(
            "{AUTHORITIES} is set, which needs the cargo feature `{feature}` of `rpcx-runtime`: in Cargo.toml \
             write `rpcx-runtime = {{ …, features = [\"{feature}\"] }}`"
        ))),
    }
}

fn lacking(given: &str, missing: &str) -> SettingsError {
    SettingsError(format!("{given} is set, and {missing} is not"))
}

pub(crate) const AUTHORITIES: &str = "RPCX_REGISTRY_CA";
pub(crate) const CERTIFICATE: &str = "RPCX_REGISTRY_CERTIFICATE";
pub(crate) const KEY: &str = "RPCX_REGISTRY_KEY";

#[cfg(test)]
mod tests {
    use super::*;

    fn of(set: [Option<&str>; 3]) -> Result<Option<TlsFiles>, String> {
        let [authorities, certificate, key] = set.map(|text| text.map(str::to_owned));
        TlsFiles::of(authorities, certificate, key).map_err(|error| error.to_string())
    }

    #[test]
    fn variables_that_belong_together_are_set_together() {
        assert_eq!(of([None, None, None]), Ok(None));
        assert!(matches!(of([Some("ca"), None, None]), Ok(Some(TlsFiles { identity: None, .. }))));
        assert!(matches!(of([Some("ca"), Some("c"), Some("k")]), Ok(Some(_))));
        for (set, problem) in [
            (
                [Some("ca"), Some("c"), None],
                "RPCX_REGISTRY_CERTIFICATE is set, and RPCX_REGISTRY_KEY is not",
            ),
            (
                [Some("ca"), None, Some("k")],
                "RPCX_REGISTRY_KEY is set, and RPCX_REGISTRY_CERTIFICATE is not",
            ),
            (
                [None, Some("c"), Some("k")],
                "RPCX_REGISTRY_CERTIFICATE is set, and RPCX_REGISTRY_CA is not",
            ),
        ] {
            assert_eq!(of(set), Err(problem.to_owned()));
        }
    }
}
