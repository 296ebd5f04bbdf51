//! Makes registries of what an attribute or the environment says.

use std::sync::Arc;

use super::shared::RegistryOptions;
use super::{InProcess, MultipleServers, PeerToPeer, Registry, SettingsError};

/// Makes a registry of what is said about it.
type OpenRegistry = fn(&RegistryOptions) -> Result<Arc<dyn Registry>, SettingsError>;

/// Gives what makes the registry of a name.
pub(crate) fn opener(name: &str) -> Result<OpenRegistry, SettingsError> {
    match name {
        "peer2peer" => Ok(peer2peer),
        "multiple" => Ok(multiple),
        "inprocess" => Ok(inprocess),
        #[cfg(feature = "etcd")]
        "etcd" => Ok(etcd),
        #[cfg(feature = "zookeeper")]
        "zookeeper" => Ok(zookeeper),
        #[cfg(feature = "consul")]
        "consul" => Ok(consul),
        #[cfg(feature = "mdns")]
        "mdns" => Ok(mdns),
        #[allow(unreachable_patterns, reason = "those of features that are on stand above")]
        "etcd" | "zookeeper" | "consul" | "mdns" => Err(SettingsError(format!(
            "registry \"{name}\" needs the cargo feature `{name}` of `rpcx-runtime`: in Cargo.toml write \
             `rpcx-runtime = {{ …, features = [\"{name}\"] }}`"
        ))),
        _ => {
            let known = "peer2peer, multiple, zookeeper, etcd, consul, mdns, inprocess";
            Err(SettingsError(format!("unknown registry \"{name}\" (known: {known})")))
        }
    }
}

/// One fixed server.
fn peer2peer(options: &RegistryOptions) -> Result<Arc<dyn Registry>, SettingsError> {
    let [server] = options.servers.as_slice() else {
        return Err(SettingsError("`peer2peer` takes one server: `tcp@host:port`".to_owned()));
    };
    let registry = PeerToPeer::new(server).map_err(|error| SettingsError(error.to_string()))?;
    Ok(Arc::new(registry))
}

/// A fixed list.
fn multiple(options: &RegistryOptions) -> Result<Arc<dyn Registry>, SettingsError> {
    let registry = MultipleServers::new(&options.servers);
    Ok(Arc::new(registry.map_err(|error| SettingsError(error.to_string()))?))
}

/// The servers of this process.
#[expect(clippy::unnecessary_wraps, reason = "as the others")]
fn inprocess(_: &RegistryOptions) -> Result<Arc<dyn Registry>, SettingsError> {
    Ok(Arc::new(InProcess::new()))
}

/// Sets what was said about a registry that has entries of its own.
#[cfg(any(feature = "consul", feature = "etcd", feature = "zookeeper"))]
macro_rules! entries {
    ($registry:expr, $options:expr) => {{
        let mut registry = $registry;
        if let Some(path) = &$options.base_path {
            registry = registry.base_path(path.as_str());
        }
        if let Some(interval) = $options.update_interval {
            registry = registry.update_interval(interval);
        }
        if let Some(ttl) = $options.session_ttl {
            registry = registry.session_ttl(ttl);
        }
        registry.metrics($options.metrics)
    }};
}

/// Encrypts the connections if the environment says so; `$feature` is what that needs.
#[cfg(any(feature = "consul", feature = "etcd", feature = "zookeeper"))]
macro_rules! encrypted {
    ($registry:expr, $options:expr, $feature:tt) => {{
        let registry = $registry;
        #[cfg(feature = $feature)]
        let registry = match &$options.tls {
            Some(files) => registry.tls(files.read()?),
            None => registry,
        };
        #[cfg(not(feature = $feature))]
        super::tls_files::refuse($options.tls.as_ref(), $feature)?;
        registry
    }};
}

/// Gives where a registry is: its usual local port, if nobody said.
#[cfg(any(feature = "consul", feature = "etcd", feature = "zookeeper"))]
fn servers(options: &RegistryOptions, usual: &str) -> Vec<String> {
    if options.servers.is_empty() { vec![usual.to_owned()] } else { options.servers.clone() }
}

#[cfg(feature = "etcd")]
fn etcd(options: &RegistryOptions) -> Result<Arc<dyn Registry>, SettingsError> {
    let registry = entries!(super::Etcd::new(servers(options, "127.0.0.1:2379")), options);
    Ok(Arc::new(encrypted!(registry, options, "tls")))
}

#[cfg(feature = "zookeeper")]
fn zookeeper(options: &RegistryOptions) -> Result<Arc<dyn Registry>, SettingsError> {
    let registry = entries!(super::ZooKeeper::new(servers(options, "127.0.0.1:2181")), options);
    Ok(Arc::new(encrypted!(registry, options, "zookeeper-tls")))
}

#[cfg(feature = "consul")]
fn consul(options: &RegistryOptions) -> Result<Arc<dyn Registry>, SettingsError> {
    use super::ConsulLayout;
    let layout = match options.layout.as_str() {
        "kv" => ConsulLayout::Kv,
        "service" => ConsulLayout::Service,
        "both" => ConsulLayout::Both,
        other => return Err(SettingsError(format!("unknown Consul layout \"{other}\""))),
    };
    let registry = entries!(super::Consul::new(servers(options, "127.0.0.1:8500")), options);
    Ok(Arc::new(encrypted!(registry.layout(layout), options, "tls")))
}

#[cfg(feature = "mdns")]
#[expect(clippy::unnecessary_wraps, reason = "as the others")]
fn mdns(options: &RegistryOptions) -> Result<Arc<dyn Registry>, SettingsError> {
    let mut registry = super::Mdns::new();
    if let Some(interval) = options.update_interval {
        registry = registry.update_interval(interval);
    }
    Ok(Arc::new(registry.metrics(options.metrics)))
}
