//! A registry by its name on a command line.

use std::sync::Arc;
use std::time::Duration;

use rpcx::registry::{Consul, Etcd, Mdns, MultipleServers, PeerToPeer, Registry, ZooKeeper};

/// Makes a registry of its name and endpoints; none named means its usual local port.
///
/// # Errors
///
/// A text for people, if there is no such registry or it cannot be at these endpoints.
pub fn any_registry(
    name: &str,
    endpoints: &[String],
    base: &str,
    interval: Duration,
) -> Result<Arc<dyn Registry>, String> {
    let at = |usual: &str| match endpoints {
        [] => vec![usual.to_owned()],
        endpoints => endpoints.to_vec(),
    };
    let registry: Arc<dyn Registry> = match name {
        "peer2peer" => {
            let server = at("tcp@127.0.0.1:8972").remove(0);
            Arc::new(PeerToPeer::new(&server).map_err(|error| error.to_string())?)
        }
        "multiple" => {
            let servers = at("tcp@127.0.0.1:8972");
            Arc::new(MultipleServers::new(servers).map_err(|error| error.to_string())?)
        }
        "etcd" => {
            let registry = Etcd::new(at("127.0.0.1:2379")).base_path(base);
            Arc::new(registry.update_interval(interval))
        }
        "zookeeper" => {
            let registry = ZooKeeper::new(at("127.0.0.1:2181")).base_path(base);
            Arc::new(registry.update_interval(interval))
        }
        "consul" => {
            let registry = Consul::new(at("127.0.0.1:8500")).base_path(base);
            Arc::new(registry.update_interval(interval))
        }
        "mdns" => Arc::new(Mdns::new().update_interval(interval)),
        _ => return Err(format!("unknown registry \"{name}\"")),
    };
    Ok(registry)
}

/// Reads a duration such as `2s`, `500ms`, `1m`.
///
/// # Errors
///
/// A text for people, if it is none.
pub fn duration(text: &str) -> Result<Duration, String> {
    let number_ends = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(number_ends);
    let number: u64 = number.parse().map_err(|_| format!("`{text}` is no duration"))?;
    match unit {
        "ms" => Ok(Duration::from_millis(number)),
        "s" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(60 * number)),
        _ => Err(format!("`{text}` has no unit: ms, s or m")),
    }
}
