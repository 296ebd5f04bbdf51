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
mod calls;
mod capture;
pub mod client;
pub mod codec;
pub mod context;
mod error;
mod extensions;
mod governance;
pub mod guide;
mod handler;
mod instance;
mod metadata;
mod method;
mod modes;
mod named_arguments;
mod outlet;
pub mod prelude;
pub mod protocol;
pub mod reflection;
pub mod registry;
mod registry_info;
#[cfg(feature = "schema")]
mod schema;
pub mod server;
mod service;
mod service_info;
#[cfg(feature = "tls")]
pub mod tls;
mod trace_context;
pub mod transport;
mod wire;

use __private as private;

/// # Example
///
/// ```
/// # #[cfg(feature = "json")] {
/// use rpcx::ServiceError;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Serialize, Deserialize, ServiceError)]
/// enum StockError {
///     SoldOut,
///     Missing { item: String },
///     #[service_error(other)]
///     #[serde(skip)]
///     Other(rpcx::Error),
/// }
///
/// let error = StockError::Missing { item: "bolts".to_owned() };
/// assert_eq!(error.to_wire(), r#"{"Missing":{"item":"bolts"}}"#);
///
/// let error = StockError::from_wire(rpcx::Error::service(r#""SoldOut""#));
/// assert!(matches!(error, StockError::SoldOut));
///
/// let error = StockError::from_wire(rpcx::Error::service("the plain text of a Go program"));
/// assert!(matches!(error, StockError::Other(rpcx::Error::Service(_))));
/// # }
/// ```
#[cfg(feature = "macros")]
pub use rpcx_macros::ServiceError;
#[cfg(feature = "macros")]
pub use rpcx_macros::{rpcx, service};

pub use crate::address::{Address, AddressError, Network};
pub use crate::client::Client;
pub use crate::codec::{Bytes, Time, nil_as_default};
pub use crate::context::Context;
pub use crate::error::{Error, Executed, Refusal, Result, ServiceError};
pub use crate::extensions::Extensions;
pub use crate::instance::{Instance, InstanceMetadata};
pub use crate::metadata::Metadata;
pub use crate::modes::{FailMode, RetryRule, SelectMode, UnknownName};
pub use crate::private::bounds::{RpcArgument, RpcReply};
pub use crate::server::Server;
pub use crate::trace_context::{SpanId, TraceContext, TraceId};

/// The README's examples are tests.
#[cfg(all(doctest, feature = "macros", feature = "consul"))]
#[doc = include_str!("../../README.md")]
mod readme {}
