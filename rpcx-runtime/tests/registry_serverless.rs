//! Registries without a server of their own: the rules of all registries, where they apply.

#[cfg(feature = "mdns")]
#[path = "support/mdns/mod.rs"]
mod mdns;
#[macro_use]
#[path = "support/registry/mod.rs"]
mod registry;

use std::sync::Arc;

use rpcx::registry::{InProcess, MultipleServers, PeerToPeer, Reach, Registry};

use registry::contract::Place;
use registry::{Follower, announcement, soon};

mod in_process {
    use super::*;

    /// The servers of this process.
    struct Here(String);

    impl Place for Here {
        fn name(&self) -> &'static str {
            "inprocess"
        }

        fn registry(&self) -> Arc<dyn Registry> {
            Arc::new(InProcess::new())
        }

        fn service(&self) -> &str {
            &self.0
        }
    }

    rules_of_places! {
        test => Some(Here(format!("Arith of {test}"))),
        here => here,
    }
}

#[cfg(feature = "mdns")]
mod multicast {
    use rpcx::registry::Mdns;

    use super::*;

    /// The local network.
    struct Network(String);

    impl Place for Network {
        fn name(&self) -> &'static str {
            "mdns"
        }

        fn registry(&self) -> Arc<dyn Registry> {
            Arc::new(Mdns::new())
        }

        fn service(&self) -> &str {
            &self.0
        }
    }

    rules_of_places! {
        test => mdns::possible(test).then(|| Network(mdns::unique("Arith"))),
        network => network,
    }
}

#[tokio::test]
async fn a_fixed_list_is_what_it_was_given_whoever_registers() {
    let one = "tcp@127.0.0.1:1?weight=5";
    let two = "tcp@127.0.0.1:2?group=a&group=b";
    let list: Arc<dyn Registry> = Arc::new(MultipleServers::new([one, two]).unwrap());
    let peer: Arc<dyn Registry> = Arc::new(PeerToPeer::new("tcp@127.0.0.1:1").unwrap());
    for (registry, servers) in [(list, &[one, two][..]), (peer, &["tcp@127.0.0.1:1"])] {
        for service in ["Arith", "Another"] {
            let follower = Follower::new(Arc::clone(&registry), service);
            assert_eq!(follower.servers(), servers);
            assert!(matches!(follower.snapshot().reach(), Reach::Live));
            let another = registry.register(service, announcement("tcp@127.0.0.1:3"));
            soon("registered", another.registered()).await.unwrap();
            assert_eq!(follower.servers(), servers);
            another.withdraw().await;
            assert_eq!(follower.servers(), servers);
        }
    }
}
