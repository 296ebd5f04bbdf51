//! Longer texts: how things fit together, and what to know before it bites.

#[cfg(feature = "macros")]
#[doc = include_str!("services.md")]
pub mod services {}

#[cfg(feature = "macros")]
#[doc = include_str!("options.md")]
pub mod options {}

#[cfg(feature = "macros")]
#[doc = include_str!("expansion.md")]
pub mod expansion {}

#[doc = include_str!("../codec/go-types.md")]
pub mod go_types {}

#[doc = include_str!("interceptors.md")]
pub mod interceptors {}

#[doc = include_str!("limits.md")]
pub mod limits {}

#[doc = include_str!("performance.md")]
pub mod performance {}

#[doc = include_str!("registries.md")]
pub mod registries {}

#[doc = include_str!("reliability.md")]
pub mod reliability {}
#[doc = include_str!("restarts.md")]
pub mod restarts {}

#[doc = include_str!("servers.md")]
pub mod servers {}

#[doc = include_str!("tls.md")]
pub mod tls {}
