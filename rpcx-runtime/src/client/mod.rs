//! Calls from this side: a generated client on a [`Channel`] to one server.
//!
//! A channel has one connection a server, which all its clones share. Calls are multiplexed: any number may
//! wait at the same time, and replies come in the order in which the server finishes. A connection
//! that is lost is opened again by the next call.
//!
//! The way of a call: [`Call`] holds what was passed and the options; awaited, it becomes an
//! attempt, which takes the channel's connection, a place among the pending calls, and writes its
//! message; the reply is decoded in the caller's task.

mod attempt;
mod builder;
mod call;
mod call_future;
mod channel;
mod cluster;
mod connection;
mod endpoint;
mod heartbeat;
mod pending;
mod push;
mod reader;
mod started;
mod writer;

pub use builder::ClientBuilder;
pub use call::Call;
pub use call_future::{CallFuture, Detailed, DetailedFuture, OnewayFuture};
pub use channel::{Channel, Client};
pub use push::Push;
pub use started::Started;
