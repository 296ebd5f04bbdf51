//! The services of the example programs, shared by both sides.
//!
//! Programs are under `src/bin`; start with `quickstart`.

#[cfg(all(feature = "etcd", feature = "zookeeper", feature = "consul", feature = "mdns"))]
pub mod any_registry;
pub mod arith;
pub mod bench;
#[cfg(all(feature = "etcd", feature = "zookeeper", feature = "consul", feature = "mdns"))]
pub mod event;
pub mod faults;
pub mod hostile;
pub mod interop;
pub mod interop_checks;
pub mod load;
pub mod measure;
pub mod registries;
pub mod soak;
pub mod socket;
pub mod terminal;
pub mod tls_files;
