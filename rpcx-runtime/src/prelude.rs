//! What a user of rpcx usually wants in scope: `use rpcx::prelude::*;`.

pub use crate::client::Client;
#[cfg(feature = "macros")]
pub use rpcx_macros::rpcx;
