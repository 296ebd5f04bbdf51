//! What a program may ask about services while it runs: methods, names, types in words, documentation.
//!
//! All of it is constant, taken from the traits when they are compiled. Nothing of it is sent unless a
//! program does so: a service that describes the others of its server is written like any other.
//!
//! ```
//! # #[cfg(feature = "macros")] {
//! use rpcx::Client as _;
//!
//! /// Keeps count.
//! #[rpcx::service]
//! pub trait Stock {
//!     /// Takes an item.
//!     #[rpcx(idempotent, alias = ["take_item"])]
//!     async fn take(&self, item: &str, count: u32) -> rpcx::Result<Option<u32>>;
//! }
//!
//! let info = StockClient::service_info().expect("a generated client has one");
//! assert_eq!((info.name(), info.documentation()), ("Stock", "Keeps count."));
//!
//! let take = info.methods()[0];
//! assert_eq!((take.name(), take.documentation()), ("Take", "Takes an item."));
//! assert_eq!(take.alias_names(), ["take_item"]);
//! assert_eq!(take.reply_type(), "Option<u32>");
//! assert!(take.is_idempotent() && !take.is_oneway());
//!
//! let sent: Vec<_> = take.sent_parameters().iter().map(|p| (p.name(), p.type_name())).collect();
//! assert_eq!(sent, [("item", "String"), ("count", "u32")]);
//! # }
//! ```
//!
//! A server lists what it offers: [`Server::services`](crate::Server::services), and once it listens
//! [`Bound::services`](crate::server::Bound::services).
//!
//! With the feature `schema`, `schema::<StockClient>()` describes a service as JSON, with the JSON schemas of
//! all types that implement schemars' `JsonSchema`.

pub use crate::method::{MethodInfo, ParameterInfo};
#[cfg(feature = "schema")]
pub use crate::schema::{Schemas, schema};
pub use crate::service_info::ServiceInfo;
