//! What a client knows about its servers.

use std::sync::Arc;

use super::breaker::BreakerState;
use super::endpoint::Endpoint;
use super::health::Standing;
use crate::address::Address;

/// What a client knows about one of its servers, at one moment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerStatus {
    /// Where the server listens.
    pub address: Address,
    /// How it has been doing.
    pub health: ServerHealth,
    /// The state of its breaker, if the builder was given one.
    pub breaker: Option<BreakerState>,
    /// How many connections to it are open.
    pub connections: usize,
    /// How many calls wait for its replies.
    pub pending: usize,
}

/// How a server has been doing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ServerHealth {
    /// Nothing speaks against it.
    Good,
    /// It could not be connected to lately, or it lost a connection with calls on it a moment ago: others are
    /// called as long as there are any.
    Unreachable,
    /// It failed too often: others are called.
    Ejected,
    /// It was passed over long enough: one call may go there.
    ProbeDue,
}

impl ServerStatus {
    pub(super) fn of(server: &Arc<Endpoint>) -> Self {
        Self {
            address: server.address().clone(),
            health: match server.health().standing() {
                Standing::Good => ServerHealth::Good,
                Standing::Unreachable | Standing::Severed => ServerHealth::Unreachable,
                Standing::Ejected { .. } => ServerHealth::Ejected,
                Standing::ProbeDue => ServerHealth::ProbeDue,
            },
            breaker: server.circuit().map(|circuit| circuit.state()),
            connections: server.open_connections(),
            pending: server.pending(),
        }
    }
}
