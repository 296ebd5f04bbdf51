//! Which nodes there are, and how they are called.

use crate::address::Address;
use crate::registry::SettingsError;

/// Which nodes there are, and how they are called: as in Go rpcx 1.9.4.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// With one leading slash, and none at the end.
    base: String,
}

impl Layout {
    /// Takes the base path, with or without slashes at its ends.
    pub(super) fn new(base_path: &str) -> Result<Self, SettingsError> {
        let base = base_path.trim_matches('/');
        if base.is_empty() {
            return Err(SettingsError("the base path is empty".to_owned()));
        }
        if let Some(part) = base.split('/').find(|part| matches!(*part, "" | "." | "..")) {
            let problem = format!("the base path `{base_path}` has a part `{part}`");
            return Err(SettingsError(problem));
        }
        Ok(Self { base: format!("/{base}") })
    }

    /// Gives the node whose children are the servers of a service.
    pub(super) fn service(&self, service: &str) -> String {
        format!("{}/{service}", self.base)
    }

    /// Gives the node of a server.
    pub(super) fn server(&self, service: &str, address: &Address) -> Result<String, SettingsError> {
        let name = address.to_string();
        if name.contains('/') {
            let problem = format!("`{name}` cannot be a node of ZooKeeper: it has a `/`");
            return Err(SettingsError(problem));
        }
        Ok(format!("{}/{name}", self.service(service)))
    }

    /// Gives the nodes above those of servers, the outermost first, with their data.
    pub(super) fn parents<'a>(&self, service: &'a str) -> Vec<(String, &'a str)> {
        let above = self.base.match_indices('/').skip(1).map(|(end, _)| (&self.base[..end], ""));
        let above = above.map(|(path, data)| (path.to_owned(), data));
        let own = [(self.base.clone(), BASE_DATA), (self.service(service), service)];
        above.chain(own).collect()
    }
}

/// What Go writes into the base path's node.
const BASE_DATA: &str = "rpcx_path";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_path_has_exactly_one_leading_slash() {
        for base in ["rpcx_test", "/rpcx_test", "//rpcx_test", "/rpcx_test/"] {
            assert_eq!(Layout::new(base).unwrap().service("Arith"), "/rpcx_test/Arith");
        }
    }

    #[test]
    fn what_is_no_base_path_is_refused() {
        for (base, problem) in [
            ("", "the base path is empty"),
            ("/", "the base path is empty"),
            ("/a//b", "the base path `/a//b` has a part ``"),
            ("/a/../b", "the base path `/a/../b` has a part `..`"),
        ] {
            assert_eq!(Layout::new(base).unwrap_err().to_string(), problem);
        }
    }

    #[test]
    fn nodes_above_the_base_path_have_no_data() {
        let parents = Layout::new("/a/b").unwrap().parents("Arith");
        let expected = [("/a", ""), ("/a/b", "rpcx_path"), ("/a/b/Arith", "Arith")];
        assert_eq!(parents, expected.map(|(path, data)| (path.to_owned(), data)));
    }

    #[test]
    fn a_server_is_called_by_its_address() {
        let layout = Layout::new("/rpcx_test").unwrap();
        let node = |address: &str| layout.server("Arith", &address.parse().unwrap());
        assert_eq!(node("127.0.0.1:8972").unwrap(), "/rpcx_test/Arith/tcp@127.0.0.1:8972");
        assert_eq!(
            node("unix@/run/arith.sock").unwrap_err().to_string(),
            "`unix@/run/arith.sock` cannot be a node of ZooKeeper: it has a `/`",
        );
    }
}
