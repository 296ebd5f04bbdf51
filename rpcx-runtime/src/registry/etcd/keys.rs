//! Go's key layout.

use crate::address::Address;
use crate::registry::settings::SettingsError;

/// The keys of one namespace: `base`, `base/service`, `base/service/address`.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    base: String,
}

impl Keys {
    /// Value of the namespace's own key.
    pub(super) const BASE_VALUE: &'static str = "rpcx_path";

    /// Takes a base path as the user gave it.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] if it is empty.
    pub(super) fn new(base_path: &str) -> Result<Self, SettingsError> {
        match base_path.trim_end_matches('/') {
            "" => Err(SettingsError("the base path is empty".to_owned())),
            base => Ok(Self { base: base.to_owned() }),
        }
    }

    pub(super) fn base(&self) -> &str {
        &self.base
    }

    pub(super) fn service(&self, service: &str) -> String {
        format!("{}/{service}", self.base)
    }

    pub(super) fn server(&self, service: &str, address: &Address) -> String {
        format!("{}{address}", self.servers(service))
    }

    /// What the keys of a service's servers begin with. The `/` keeps `Arith2` out of `Arith`.
    pub(super) fn servers(&self, service: &str) -> String {
        format!("{}/{service}/", self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_go() {
        let keys = Keys::new("/rpcx_test").unwrap();
        let address = "127.0.0.1:8972".parse().unwrap();
        assert_eq!(keys.base(), "/rpcx_test");
        assert_eq!(keys.service("Arith"), "/rpcx_test/Arith");
        assert_eq!(keys.server("Arith", &address), "/rpcx_test/Arith/tcp@127.0.0.1:8972");
    }

    #[test]
    fn a_base_path_is_used_as_it_is_but_for_its_end() {
        for (path, base) in [("rpcx_test", "rpcx_test"), ("/a/b/", "/a/b"), ("//a", "//a")] {
            assert_eq!(Keys::new(path).unwrap().base(), base);
        }
        for path in ["", "/", "//"] {
            assert!(Keys::new(path).is_err(), "{path}");
        }
    }
}
