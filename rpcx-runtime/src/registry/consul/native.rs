//! Native Consul services, each with a health check that this process passes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::allowed_ttl::to_go;
use super::api::{Answer, Api, ApiError, Place, REQUEST};
use super::skipped::Skipped;
use crate::address::{Address, Network};
use crate::instance::{Instance, InstanceMetadata};
use crate::registry::backend::BackendError;

/// The services that this process registered with its agent.
#[derive(Debug)]
pub(super) struct NativeServices {
    api: Api,
    ttl: Duration,
    ids: Mutex<BTreeSet<String>>,
}

/// What the agent is told of a service.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Register<'a> {
    #[serde(rename = "ID")]
    id: &'a str,
    name: &'a str,
    address: &'a str,
    port: u16,
    meta: BTreeMap<&'a str, &'a str>,
    check: Check,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Check {
    #[serde(rename = "TTL")]
    ttl: String,
    status: &'static str,
    deregister_critical_service_after: &'static str,
}

/// What the agent says of a service.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Registered {
    #[serde(default)]
    address: String,
    #[serde(default)]
    port: u16,
    meta: Option<HashMap<String, String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Healthy {
    node: Node,
    service: Registered,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Node {
    address: String,
}

impl NativeServices {
    pub(super) fn new(api: Api, ttl: Duration) -> Self {
        Self { api, ttl, ids: Mutex::default() }
    }

    fn ids(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a service with a check that passes now; one of the same id is replaced.
    pub(super) async fn put(
        &self,
        service: &str,
        address: &Address,
        query: &str,
    ) -> Result<(), BackendError> {
        let id = id(service, address);
        let (host, port) = host_and_port(address);
        let metadata = InstanceMetadata::parse(query);
        let check = Check {
            ttl: to_go(self.ttl),
            status: "passing",
            deregister_critical_service_after: SHORTEST_DEREGISTER_AFTER,
        };
        let meta = meta(address, query, &metadata);
        let register = Register { id: &id, name: service, address: host, port, meta, check };
        let place = Place { path: &["agent", "service", "register"], query: &[] };
        self.api.put_json(place, &register).await?;
        self.ids().insert(id);
        Ok(())
    }

    /// Changes a service's metadata. The agent has no compare-and-set: of two changes within
    /// milliseconds the last wins.
    pub(super) async fn update(
        &self,
        service: &str,
        address: &Address,
        change: &(impl Fn(Option<&str>) -> String + Sync),
    ) -> Result<(), BackendError> {
        let stored = self.stored(service, address).await?;
        let value = change(stored.as_deref());
        if stored.as_ref() == Some(&value) {
            return Ok(());
        }
        self.put(service, address, &value).await
    }

    /// Reads a service's metadata, whoever registered it.
    pub(super) async fn stored(
        &self,
        service: &str,
        address: &Address,
    ) -> Result<Option<String>, ApiError> {
        let id = id(service, address);
        let place = Place { path: &["agent", "service", &id], query: &[] };
        let answer = self.api.get(place, REQUEST).await?;
        if answer.body.is_empty() {
            return Ok(None);
        }
        let registered: Registered = answer.read()?;
        Ok(Some(registered.query()))
    }

    /// Takes a service out; that the agent does not know it is no error.
    pub(super) async fn remove(&self, service: &str, address: &Address) -> Result<(), ApiError> {
        let id = id(service, address);
        let place = Place { path: &["agent", "service", "deregister", &id], query: &[] };
        match self.api.put(place, "").await {
            Err(error) if error.refusal().is_none() => return Err(error),
            Err(error) => tracing::debug!(%error, id, "a service is not known any more"),
            Ok(_) => {}
        }
        self.ids().remove(&id);
        Ok(())
    }

    /// Passes the checks of all services.
    pub(super) async fn keep_alive(&self) -> Result<(), ApiError> {
        let ids = self.ids().clone();
        for id in ids {
            let check = format!("service:{id}");
            let place = Place { path: &["agent", "check", "pass", &check], query: &[] };
            self.api.put(place, "").await?;
        }
        Ok(())
    }
}

/// Reads the services that pass their checks.
pub(super) fn instances(answer: &Answer, skipped: &Skipped) -> Result<Vec<Instance>, ApiError> {
    if answer.body.is_empty() {
        return Ok(Vec::new());
    }
    let healthy: Vec<Healthy> = answer.read()?;
    Ok(healthy.iter().filter_map(|healthy| healthy.instance(skipped)).collect())
}

impl Healthy {
    fn instance(&self, skipped: &Skipped) -> Option<Instance> {
        let service = &self.service;
        let network = service.meta(NETWORK).unwrap_or(Network::Tcp.name());
        let host = if service.address.is_empty() { &self.node.address } else { &service.address };
        let port = service.port;
        let target = match host.as_str() {
            _ if network != Network::Tcp.name() => host.clone(),
            host if host.contains(':') => format!("[{host}]:{port}"),
            host => format!("{host}:{port}"),
        };
        skipped.read(&format!("{network}@{target}"), &service.query())
    }
}

impl Registered {
    fn meta(&self, key: &str) -> Option<&str> {
        self.meta.as_ref()?.get(key).map(String::as_str)
    }

    /// Gives the metadata: as it was written here, or what another tool wrote.
    fn query(&self) -> String {
        if let Some(query) = self.meta(METADATA) {
            return query.to_owned();
        }
        let mut metadata = InstanceMetadata::default();
        for (key, value) in self.meta.iter().flatten() {
            metadata.add(key, value);
        }
        metadata.to_string()
    }
}

fn id(service: &str, address: &Address) -> String {
    format!("{service}-{address}")
}

/// Gives a TCP address in two parts; any other target stands for the host, with port 0.
fn host_and_port(address: &Address) -> (&str, u16) {
    let target = address.target();
    let parts = match address.network() {
        Network::Tcp => target.rsplit_once(':'),
        Network::Unix | Network::Memory => None,
    };
    let Some((host, port)) = parts else { return (target, 0) };
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    // An address has a number there.
    (host, port.parse().unwrap_or_default())
}

/// Gives the metadata as Consul's `Meta`: whole, and those pairs that Consul takes one by one.
fn meta<'a>(
    address: &Address,
    query: &'a str,
    metadata: &'a InstanceMetadata,
) -> BTreeMap<&'a str, &'a str> {
    let plain = metadata.iter().filter(|(key, value)| is_meta_key(key) && value.len() <= 512);
    let mut meta: BTreeMap<_, _> = plain.take(MOST_PAIRS).collect();
    meta.insert(METADATA, query);
    meta.insert(NETWORK, address.network().name());
    meta
}

fn is_meta_key(key: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !key.is_empty() && key.len() <= 128 && key.bytes().all(allowed) && !key.starts_with("consul-")
}

/// The key of `Meta` that has the whole metadata.
const METADATA: &str = "rpcx_metadata";
/// The key of `Meta` that names the network: `tcp`.
const NETWORK: &str = "rpcx_network";
/// Consul takes 64.
const MOST_PAIRS: usize = 60;
/// How long a service may be silent before the agent forgets it; Consul takes no less.
const SHORTEST_DEREGISTER_AFTER: &str = "1m";

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Vec<String> {
        let answer = Answer { index: Some(1), body: body.as_bytes().to_vec() };
        let found = instances(&answer, &Skipped::default()).unwrap();
        found.iter().map(|found| format!("{}?{}", found.address(), found.metadata())).collect()
    }

    fn healthy(address: &str, port: u16, meta: &str) -> String {
        format!(
            r#"[{{"Node":{{"Address":"10.0.0.9"}},
            "Service":{{"ID":"x","Address":"{address}","Port":{port},"Meta":{meta}}}}}]"#
        )
    }

    #[test]
    fn addresses_survive_the_way_there_and_back() {
        for text in ["tcp@h:80", "tcp@[::1]:80", "unix@/run/a.sock", "memory@a"] {
            let address: Address = text.parse().unwrap();
            let (host, port) = host_and_port(&address);
            let network = address.network().name();
            let meta = format!(r#"{{"rpcx_network":"{network}","rpcx_metadata":"a=1&a=2"}}"#);
            assert_eq!(read(&healthy(host, port, &meta)), [format!("{text}?a=1&a=2")]);
        }
    }

    #[test]
    fn a_service_of_another_tool_is_a_tcp_server() {
        assert_eq!(read(&healthy("", 80, "null")), ["tcp@10.0.0.9:80?"]);
        let meta = r#"{"weight":"5"}"#;
        assert_eq!(read(&healthy("h", 80, meta)), ["tcp@h:80?weight=5"]);
        assert_eq!(read(&healthy("h", 80, r#"{"rpcx_network":"pigeon"}"#)), [""; 0]);
    }

    #[test]
    fn pairs_that_consul_refuses_are_only_in_the_whole() {
        let long = "v".repeat(513);
        let query = format!("a.b=1&consul-x=1&group=a&group=b&long={long}&weight=5");
        let metadata = InstanceMetadata::parse(&query);
        let address = "tcp@h:1".parse().unwrap();
        let meta = meta(&address, &query, &metadata);
        let expected =
            [("group", "b"), ("rpcx_metadata", &query), ("rpcx_network", "tcp"), ("weight", "5")];
        assert_eq!(meta.into_iter().collect::<Vec<_>>(), expected);
    }
}
