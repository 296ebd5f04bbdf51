//! How a server is chosen for each call.

pub(crate) mod customized;
pub(crate) mod geo;
pub(crate) mod hash;
pub(crate) mod ping;
pub(crate) mod random;
pub(crate) mod roundrobin;
pub(crate) mod weighted;
