//! `Arith` once more for each registry: the same service, another attribute.
//!
//! The programs `…-server` and `…-client` of each use what is here. They find each other at the
//! registry's usual local port, under the base path `/rpcx_test`; `--registry-addr` and `--base` say
//! otherwise.

#[cfg(feature = "consul")]
pub mod consul;
#[cfg(feature = "etcd")]
pub mod etcd;
pub mod inprocess;
#[cfg(feature = "mdns")]
pub mod mdns;
pub mod multiple;
pub mod peer2peer;
mod programs;
#[cfg(feature = "zookeeper")]
pub mod zookeeper;

pub use programs::{ClientOptions, ServerOptions, call, serve};
