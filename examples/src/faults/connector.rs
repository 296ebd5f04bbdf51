//! Faults between a client and its servers, inside one process.

use std::sync::{Arc, Mutex};

use rpcx::Address;
use rpcx::transport::{ConnectFuture, Connector, Duplex, NetworkConnector};
use tokio::task::JoinSet;

use super::{Faults, lock};

/// Connects a client to its servers through [`Faults`].
///
/// A reset is a close here. The connections end with the last clone.
#[derive(Clone, Debug)]
pub struct FaultConnector {
    faults: Faults,
    network: NetworkConnector,
    relays: Arc<Mutex<JoinSet<()>>>,
}

impl FaultConnector {
    /// Makes a connector of the usual networks.
    pub fn new(faults: Faults) -> Self {
        Self { faults, network: NetworkConnector::new(), relays: Arc::default() }
    }
}

impl Connector for FaultConnector {
    fn connect(&self, address: &Address) -> ConnectFuture {
        let far = self.network.connect(address);
        let (faults, relays) = (self.faults.clone(), Arc::downgrade(&self.relays));
        Box::pin(async move {
            let Duplex { reader, writer, peer, .. } = far.await?;
            let (near, ours) = tokio::io::duplex(BUFFER);
            if let Some(relays) = relays.upgrade() {
                let mut relays = lock(&relays);
                while relays.try_join_next().is_some() {}
                relays.spawn(async move {
                    faults.relay(ours, tokio::io::join(reader, writer)).await;
                });
            }
            Ok(Duplex { peer, ..Duplex::of(near) })
        })
    }
}

const BUFFER: usize = 64 << 10;
