//! Services offered to clients.
//!
//! The way of a call: the accept loop gives each connection a task; the connection takes messages
//! out of the bytes that came, the router finds the service and the method, and the handler's future
//! is polled once on the spot. One that is ready at once costs no task; one that waits moves to a
//! task of its own. Answers are collected, and leave in as few writes as possible, in the order in
//! which the handlers finish.
//!
//! What a server takes from its clients is in [`guide::limits`](crate::guide::limits), how it stops in
//! [`guide::restarts`](crate::guide::restarts).

mod accept;
mod announce;
mod auth;
mod bound;
mod budget;
mod builder;
mod capacity;
mod connection;
mod dispatch;
mod drain;
#[cfg(feature = "tls")]
mod handshake;
pub mod interceptor;
mod link;
mod load;
mod open;
mod patience;
mod route;
mod router;
mod sending;
mod stop;

pub use announce::Registrations;
pub use auth::AuthRequest;
pub use bound::{BindError, Bound};
pub use builder::Server;
pub use stop::DrainReport;
