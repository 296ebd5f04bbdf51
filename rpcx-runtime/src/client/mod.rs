//! Calls from this side: a generated client on a [`Channel`] to the servers of its service.
//!
//! A channel has one connection a server, which all its clones share. Calls are multiplexed: any number may
//! wait at the same time, and replies come in the order in which the server finishes. A connection
//! that is lost is opened again by the next call.
//!
//! The way of a call: [`Call`] holds what was passed and the options; awaited, it becomes an
//! attempt, which chooses a server, takes the connection to it, a place among the pending calls, and
//! writes its message; the reply is decoded in the caller's task. If the attempt fails, the fail mode
//! says whether and where another follows: [`guide::servers`](crate::guide::servers).

mod attempt;
mod attempts;
mod backoff;
mod breaker;
mod budget;
mod builder;
mod by_name;
mod call;
mod call_future;
mod channel;
mod cluster;
mod connection;
#[cfg(feature = "metrics")]
mod counting;
mod endpoint;
mod fan_out;
mod health;
mod heartbeat;
mod idle;
pub mod interceptor;
mod managed;
mod observe;
mod one_client;
mod pending;
mod pool;
mod push;
mod reader;
mod request;
mod retrying;
mod round_trips;
mod secure;
pub mod selector;
mod settings;
mod started;
mod status;
mod timer;
mod trace_propagation;
mod way;
mod writer;

pub use breaker::{Breaker, BreakerState};
pub use budget::RetryBudget;
pub use builder::ClientBuilder;
pub use by_name::ByName;
pub use call::Call;
pub use call_future::{CallFuture, Detailed, DetailedFuture, OnewayFuture};
pub use channel::{Channel, Client};
pub use fan_out::{FanOut, FanOutError, Receipt, ServerFailure};
pub use health::Ejection;
pub use one_client::OneClient;
pub use push::Push;
pub use started::Started;
pub use status::{ServerHealth, ServerStatus};
pub use trace_propagation::TracePropagation;
