//! Where programs meet: a registry, and names in it that no other test has.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::multicast::{Turn, turn};
use crate::registry::{PrivateServer, Shared};

/// A registry.
pub(crate) enum Registry {
    Server(&'static str, &'static Shared),
    Mdns,
}

pub(crate) static ETCD: Registry = {
    static SERVER: Shared = Shared::new("etcd");
    Registry::Server("etcd", &SERVER)
};
pub(crate) static ZOOKEEPER: Registry = {
    static SERVER: Shared = Shared::new("zookeeper");
    Registry::Server("zookeeper", &SERVER)
};
pub(crate) static CONSUL: Registry = {
    static SERVER: Shared = Shared::new("consul");
    Registry::Server("consul", &SERVER)
};
pub(crate) static MDNS: Registry = Registry::Mdns;

/// A place in a registry, for one test.
pub(crate) struct Place {
    /// The registry's name.
    pub(crate) registry: &'static str,
    /// Where the registry is.
    pub(crate) address: String,
    /// The namespace.
    pub(crate) base: String,
    /// The service's name.
    pub(crate) service: String,
    _hold: Hold,
}

/// What has to be there as long as the test runs.
enum Hold {
    Server { _server: Arc<PrivateServer> },
    Multicast { _turn: Turn },
}

impl Registry {
    /// Gives a place of the test's own; none if the test is skipped.
    pub(crate) fn place(&self, test: &str) -> Option<Place> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        match self {
            Self::Server(name, shared) => {
                let server = shared.server(test)?;
                Some(Place {
                    registry: name,
                    address: server.address().to_owned(),
                    base: format!("/rpcx_test_{number}"),
                    service: "Arith".to_owned(),
                    _hold: Hold::Server { _server: server },
                })
            }
            // There is no namespace: the service's name has to do.
            Self::Mdns => turn(test).map(|turn| Place {
                registry: "mdns",
                address: "-".to_owned(),
                base: "/rpcx_test".to_owned(),
                service: format!("Arith{:x}n{number}", std::process::id()),
                _hold: Hold::Multicast { _turn: turn },
            }),
        }
    }
}
