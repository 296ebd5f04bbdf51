//! Clients of several servers: what becomes of calls when servers fail, are slow, come and go.
#![cfg(feature = "macros")]

mod breaker;
mod connections;
mod ejection;
mod fail_modes;
mod failbackup;
mod fan_out;
mod groups_and_filters;
mod interceptors;
mod lazy_start;
mod network;
mod one_client;
mod retry_rules;
mod selecting;
mod sticky;
mod world;
