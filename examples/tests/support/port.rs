//! Ports for programs that cannot be asked which they got.

use std::hash::{BuildHasher as _, RandomState};
use std::net::TcpListener;

/// Gives a port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    // Tests run side by side, in several processes: each looks in an order of its own.
    let first = RandomState::new().hash_one(std::process::id());
    let ports = (0..PORTS).map(|n| FIRST_PORT + ((first % PORTS + n) % PORTS) as u16);
    ports
        .into_iter()
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("some port is free")
}

/// Below the ports that systems give out by themselves.
const FIRST_PORT: u16 = 10_000;
const PORTS: u64 = 20_000;
