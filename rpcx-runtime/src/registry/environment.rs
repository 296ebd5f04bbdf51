//! What the environment says about registries: it counts more than an attribute.
//!
//! | variable | says |
//! |---|---|
//! | `RPCX_REGISTRY` | which registry, as a URL; `none` for none |
//! | `RPCX_ETCD_SERVERS`, `RPCX_ZOOKEEPER_SERVERS`, `RPCX_CONSUL_SERVERS` | where, `host:port` with commas |
//! | `RPCX_REGISTRY_CA` | that connections to etcd, ZooKeeper and Consul use TLS; a PEM file of whom to trust |
//! | `RPCX_REGISTRY_CERTIFICATE`, `RPCX_REGISTRY_KEY` | as whom to show oneself; PEM files |
//! | `RPCX_BASE_PATH` | the namespace |
//! | `RPCX_SERVICE_ADDRESS` | what a server tells others: `tcp@host:port` |

use std::sync::Arc;

use super::shared::{self, RegistryOptions};
use super::tls_files::{self, TlsFiles};
use super::{Registry, SettingsError};
use crate::address::Address;

/// What `RPCX_REGISTRY` says.
#[derive(Debug)]
pub(crate) enum Choice {
    /// Nothing: the attribute counts.
    Unset,
    /// No registry at all.
    None,
    /// This one.
    Registry(Arc<dyn Registry>),
}

/// Reads `RPCX_REGISTRY`.
pub(crate) fn registry() -> Result<Choice, SettingsError> {
    match variable("RPCX_REGISTRY").as_deref() {
        None => Ok(Choice::Unset),
        Some("none") => Ok(Choice::None),
        Some(url) => {
            let mut options = parse(url)?;
            adjust(&mut options)?;
            shared::open(options).map(Choice::Registry)
        }
    }
}

/// Reads `RPCX_SERVICE_ADDRESS`.
pub(crate) fn service_address() -> Result<Option<Address>, SettingsError> {
    let Some(text) = variable("RPCX_SERVICE_ADDRESS") else { return Ok(None) };
    let address = text.parse::<Address>();
    address.map(Some).map_err(|error| SettingsError(format!("RPCX_SERVICE_ADDRESS: {error}")))
}

/// Puts what the environment says about a registry in place of what the attribute said.
pub(crate) fn adjust(options: &mut RegistryOptions) -> Result<(), SettingsError> {
    let servers = match options.name.as_str() {
        "etcd" => variable("RPCX_ETCD_SERVERS"),
        "zookeeper" => variable("RPCX_ZOOKEEPER_SERVERS"),
        "consul" => variable("RPCX_CONSUL_SERVERS"),
        _ => None,
    };
    if let Some(servers) = servers {
        options.servers = list(&servers);
    }
    if let Some(path) = variable("RPCX_BASE_PATH") {
        options.base_path = Some(path);
    }
    if matches!(options.name.as_str(), "etcd" | "zookeeper" | "consul") {
        options.tls = TlsFiles::of(
            variable(tls_files::AUTHORITIES),
            variable(tls_files::CERTIFICATE),
            variable(tls_files::KEY),
        )?;
    }
    Ok(())
}

/// Reads `consul://host:8500,host:8500/rpcx_test`, `peer2peer://tcp@host:8972`.
fn parse(url: &str) -> Result<RegistryOptions, SettingsError> {
    let wrong = || {
        let text = "RPCX_REGISTRY is `none` or a URL such as `consul://127.0.0.1:8500/rpcx_test`";
        SettingsError(format!("{text}, not `{url}`"))
    };
    let (name, rest) = url.split_once("://").ok_or_else(wrong)?;
    let lists_addresses = matches!(name, "peer2peer" | "multiple");
    let (servers, path) = match rest.split_once('/') {
        Some((servers, path)) if !lists_addresses => (servers, Some(format!("/{path}"))),
        _ => (rest, None),
    };
    Ok(RegistryOptions {
        name: name.to_owned(),
        base_path: path,
        servers: list(servers),
        update_interval: None,
        session_ttl: None,
        metrics: true,
        layout: "kv".to_owned(),
        tls: None,
    })
}

fn list(text: &str) -> Vec<String> {
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    items.map(str::to_owned).collect()
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(url: &str) -> (String, Vec<String>, Option<String>) {
        let options = parse(url).unwrap();
        (options.name, options.servers, options.base_path)
    }

    #[test]
    fn a_url_names_registry_servers_and_base_path() {
        let expected = |name: &str, servers: &[&str], path: Option<&str>| {
            let servers = servers.iter().map(|&server| server.to_owned()).collect();
            (name.to_owned(), servers, path.map(str::to_owned))
        };
        let consul = parts("consul://a:8500,b:8500/rpcx_test");
        assert_eq!(consul, expected("consul", &["a:8500", "b:8500"], Some("/rpcx_test")));
        assert_eq!(parts("etcd://a:2379"), expected("etcd", &["a:2379"], None));
        assert_eq!(parts("mdns://"), expected("mdns", &[], None));
        let peer = parts("peer2peer://unix@/run/arith.sock");
        assert_eq!(peer, expected("peer2peer", &["unix@/run/arith.sock"], None));
    }

    #[test]
    fn what_is_no_url_is_an_error_that_shows_one() {
        let error = parse("consul").unwrap_err();
        assert!(error.to_string().ends_with("not `consul`"));
    }
}
