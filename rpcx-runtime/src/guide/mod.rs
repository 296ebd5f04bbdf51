//! Longer texts: how things fit together, and what to know before it bites.

#[doc = include_str!("../codec/go-types.md")]
pub mod go_types {}

#[doc = include_str!("registries.md")]
pub mod registries {}
