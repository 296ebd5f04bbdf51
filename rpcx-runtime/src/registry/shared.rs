//! Registries made of what an attribute or the environment says, each opened once.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use std::time::Duration;

use super::open::opener;
use super::tls_files::TlsFiles;
use super::{Registry, SettingsError, environment};
use crate::registry_info::RegistryInfo;

/// What is said about a registry, by whatever means.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct RegistryOptions {
    pub(crate) name: String,
    pub(crate) base_path: Option<String>,
    pub(crate) servers: Vec<String>,
    pub(crate) update_interval: Option<Duration>,
    pub(crate) session_ttl: Option<Duration>,
    pub(crate) metrics: bool,
    pub(crate) layout: String,
    /// Said by the environment alone: a path of the machine is not for the source.
    pub(crate) tls: Option<TlsFiles>,
}

/// Gives the registry that an attribute names, as the environment changes it.
pub(crate) fn of(info: &RegistryInfo) -> Result<Arc<dyn Registry>, SettingsError> {
    let mut options = RegistryOptions {
        name: info.name().to_owned(),
        base_path: info.given_base_path().map(str::to_owned),
        servers: info.given_servers().iter().map(|&server| server.to_owned()).collect(),
        update_interval: info.given_update_interval(),
        session_ttl: info.given_session_ttl(),
        metrics: info.wants_metrics(),
        layout: info.given_layout().to_owned(),
        tls: None,
    };
    environment::adjust(&mut options)?;
    open(options)
}

/// Gives the registry of these options: services that say the same share one, and its connection.
pub(crate) fn open(options: RegistryOptions) -> Result<Arc<dyn Registry>, SettingsError> {
    static OPEN: LazyLock<Mutex<HashMap<RegistryOptions, Weak<dyn Registry>>>> =
        LazyLock::new(Mutex::default);
    let mut known = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(registry) = known.get(&options).and_then(Weak::upgrade) {
        return Ok(registry);
    }
    let registry = opener(&options.name)?(&options)?;
    known.retain(|_, registry| registry.strong_count() > 0);
    known.insert(options, Arc::downgrade(&registry));
    Ok(registry)
}

#[cfg(all(test, feature = "consul", feature = "etcd", feature = "mdns", feature = "zookeeper"))]
mod tests {
    use super::*;
    use crate::registry::{Consul, ConsulLayout, Etcd, ZooKeeper};

    const SERVERS: &[&str] = &["10.0.0.1:1", "10.0.0.2:2"];
    const INTERVAL: Duration = Duration::from_secs(30);
    const TTL: Duration = Duration::from_secs(15);

    const fn info(name: &'static str) -> RegistryInfo {
        RegistryInfo::new(name)
            .base_path("/test")
            .servers(SERVERS)
            .update_interval(INTERVAL)
            .session_ttl(TTL)
            .metrics(false)
            .group("blue")
            .weight(5)
            .layout("both")
    }

    fn opened(info: &RegistryInfo) -> String {
        format!("{:?}", of(info).unwrap())
    }

    macro_rules! by_hand {
        ($registry:ident) => {
            $registry::new(SERVERS.iter().copied())
                .base_path("/test")
                .update_interval(INTERVAL)
                .session_ttl(TTL)
                .metrics(false)
        };
    }

    #[test]
    fn all_that_an_attribute_says_reaches_the_registry() {
        assert_eq!(opened(&info("etcd")), format!("{:?}", by_hand!(Etcd)));
        assert_eq!(opened(&info("zookeeper")), format!("{:?}", by_hand!(ZooKeeper)));
        let consul = by_hand!(Consul).layout(ConsulLayout::Both);
        assert_eq!(opened(&info("consul")), format!("{consul:?}"));
        // Two of them never show the same: each has a name of its own.
        let mdns = opened(&info("mdns"));
        assert!(mdns.contains("update_interval: 30s, metrics: false"), "{mdns}");
    }

    #[test]
    fn each_value_is_seen_in_what_a_registry_shows() {
        let all = opened(&info("consul"));
        let changed = [
            info("consul").base_path("/other"),
            info("consul").servers(&["10.0.0.3:3"]),
            info("consul").update_interval(INTERVAL * 2),
            info("consul").session_ttl(TTL * 2),
            info("consul").metrics(true),
            info("consul").layout("kv"),
        ];
        for info in changed {
            assert_ne!(opened(&info), all, "{info:?}");
        }
    }

    #[test]
    fn what_an_attribute_says_of_servers_is_in_their_entries() {
        let metadata = info("consul").metadata();
        assert_eq!(metadata.iter().collect::<Vec<_>>(), [("weight", "5"), ("group", "blue")]);
    }
}
