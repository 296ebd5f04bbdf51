//! RPC for Rust with services declared as traits, wire-compatible with Go rpcx 1.9.4.
#![doc = include_str!("guide/overview.md")]

#[allow(
    unused_extern_crates,
    reason = "generated code says `::rpcx`; not every feature set has any"
)]
extern crate self as rpcx;

#[doc(hidden)]
#[path = "private/mod.rs"]
pub mod __private;
mod address;
mod arguments;
pub mod client;
pub mod codec;
pub mod context;
mod error;
pub mod guide;
mod instance;
mod metadata;
mod method;
mod named_arguments;
mod outlet;
pub mod prelude;
pub mod protocol;
pub mod registry;
mod registry_info;
pub mod server;
mod service;
mod service_info;
pub mod transport;
mod wire;

use __private as private;

#[cfg(feature = "macros")]
pub use rpcx_macros::{rpcx, service};

pub use crate::address::{Address, AddressError, Network};
pub use crate::client::Client;
pub use crate::codec::{Bytes, Time, nil_as_default};
pub use crate::context::Context;
pub use crate::error::{Error, Executed, Result, ServiceError};
pub use crate::instance::{Instance, InstanceMetadata};
pub use crate::metadata::Metadata;
pub use crate::private::bounds::{RpcArgument, RpcReply};
pub use crate::server::Server;
pub use crate::service_info::{FailMode, SelectMode, UnknownName};

/// The README's examples are tests.
#[cfg(all(doctest, feature = "macros"))]
#[doc = include_str!("../../README.md")]
mod readme {}
