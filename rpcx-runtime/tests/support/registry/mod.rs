//! What every registry that is a server of its own holds to.
//!
//! [`contract`] has the rules, written against [`Bench`]: a registry's test file implements that for
//! itself and asks for all rules with `registry_contract!`. Each test has a private registry server
//! ([`PrivateServer`]), so it may kill it. What only one registry does stands in its own test file.
//!
//! ```ignore
//! #[macro_use]
//! #[path = "support/registry/mod.rs"]
//! mod registry;
//!
//! struct Etcd;
//! impl registry::Bench for Etcd { .. }
//! registry_contract!(Etcd);
//! ```
#![allow(dead_code, unused_imports, reason = "each test file is a crate and uses some of it")]

#[cfg(feature = "tls")]
#[path = "../certificates.rs"]
mod certificates;
pub(crate) mod contract;
mod counter;
#[cfg(feature = "tls")]
mod encrypted;
mod follower;
mod gate;
mod process;
#[cfg(feature = "macros")]
mod served;
mod server;

use std::future::Future;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use rpcx::registry::{Announcement, Registry};
use rpcx::{Instance, InstanceMetadata};

#[cfg(feature = "tls")]
pub(crate) use certificates::{Authority, Folder, Pair};
pub(crate) use counter::Counter;
#[cfg(feature = "tls")]
pub(crate) use encrypted::{Clients, EncryptedServer};
pub(crate) use follower::Follower;
pub(crate) use gate::Gate;
pub(crate) use process::{Process, run_as_another_process};
pub(crate) use server::PrivateServer;

/// One registry, as its tests see it.
pub(crate) trait Bench: Send + Sync + 'static {
    /// Its name in `.ci/registries`.
    const NAME: &'static str;
    /// What `.ci/registries` is told about the server.
    const ENVIRONMENT: &'static [(&'static str, &'static str)] = &[];
    /// The least `session_ttl`; the tests use it.
    const TTL: Duration;
    /// How long a server that crashed stays in a list, at most, with that `session_ttl`.
    const CRASHED: Duration;
    /// How long a registry that is back with its data may lack an entry, from when it is ready.
    const BACK: Duration;
    /// The same for a registry that lost its data.
    const BACK_EMPTY: Duration;
    /// A `session_ttl` that is too short.
    const SHORT: Duration = Duration::from_secs(1);
    /// What that is refused with.
    const TOO_SHORT: &'static str;

    /// Makes a registry as a program does; each is one of its own, with its own connection. Several endpoints
    /// have commas between them.
    fn registry(server: &str, settings: Settings) -> Arc<dyn Registry>;

    /// Reads a value with the registry's own means; `path` is `/rpcx_test/Arith`, whatever the
    /// registry makes of the first `/`.
    fn read(server: &str, path: &str) -> impl Future<Output = Option<String>> + Send;

    /// Writes a value as an operator does, without a lease or session.
    fn write(server: &str, path: &str, value: &[u8]) -> impl Future<Output = ()> + Send;

    /// Deletes a value as an operator does.
    fn delete(server: &str, path: &str) -> impl Future<Output = ()> + Send;
}

/// How a test uses the registry.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) base_path: &'static str,
    pub(crate) update_interval: Duration,
    pub(crate) session_ttl: Duration,
    pub(crate) metrics: bool,
}

impl Settings {
    pub(crate) fn of<B: Bench>() -> Self {
        Self {
            base_path: "/rpcx_test",
            // None while a test runs.
            update_interval: Duration::from_secs(3600),
            session_ttl: B::TTL,
            metrics: true,
        }
    }
}

/// Makes what a server announces: `tcp@127.0.0.1:1?weight=5`.
pub(crate) fn announcement(server: &str) -> Announcement {
    let (address, query) = server.split_once('?').unwrap_or((server, ""));
    let metadata = InstanceMetadata::parse(query);
    let address = address.parse().expect("the test's address is one");
    Instance::new(address).with_metadata(metadata).into()
}

/// Tells how long something took, and fails if that is more than what is promised.
pub(crate) fn within(registry: &str, what: &str, took: Duration, promise: Duration) {
    // Not `eprintln`, which the test runner would keep to itself.
    let _ = writeln!(std::io::stderr(), "{registry}: {what} took {took:.2?} of {promise:?}");
    assert!(took <= promise, "{registry}: {what} took {took:?}, at most {promise:?} are promised");
}

/// Waits for what is sure to come.
pub(crate) async fn soon<F: Future>(what: &str, event: F) -> F::Output {
    let result = tokio::time::timeout(SAFETY, event).await;
    result.unwrap_or_else(|_| panic!("nothing within {SAFETY:?}: {what}"))
}

/// It never decides a test that passes.
const SAFETY: Duration = Duration::from_secs(60);

/// Makes tests of the rules that hold in any place: how a test of this name gets what it needs, or
/// nothing if it is skipped, and how that makes a [`Place`](contract::Place). A [`Bench`] is enough.
#[allow(unused_macros, reason = "some files have other rules")]
macro_rules! rules_of_places {
    ($test:ident => $need:expr, $needed:ident => $place:expr,) => {
        rules_of_places! { $test => $need, $needed => $place;
            a_server_is_found_with_what_it_says_of_itself,
            a_server_that_withdraws_is_gone_at_once,
            a_registration_that_is_dropped_is_gone_at_once,
            a_service_whose_name_begins_the_same_is_another,
        }
    };
    ($test:ident => $need:expr, $needed:ident => $place:expr; $($rule:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                let $test = stringify!($rule);
                if let Some(needed) = $need {
                    let $needed = &needed;
                    registry::contract::$rule($place).await;
                }
            }
        )*
    };
    ($bench:ty) => {
        rules_of_places! {
            test => registry::PrivateServer::start::<$bench>(test),
            server => &registry::contract::Private::<$bench>::new(server),
        }
    };
}

/// Makes the tests of one registry out of the rules.
#[allow(unused_macros, reason = "some files have other rules")]
macro_rules! registry_contract {
    ($bench:ty) => {
        rules_of_places!($bench);
        registry_contract! { $bench:
            calls_go_on_and_programs_start_while_the_registry_is_away,
            a_server_that_crashes_is_gone_within_the_promise,
            a_registry_that_restarts_changes_no_list,
            a_registry_that_lost_its_data_gets_it_back,
            a_registry_that_hangs_changes_no_list,
            a_registry_that_is_away_at_first_is_waited_for,
            the_next_endpoint_is_tried,
            servers_of_several_processes_are_listed,
            a_server_that_restarts_is_listed_all_the_time,
            an_operators_edit_survives_updates,
            an_operators_edits_survive_updates_at_the_same_time,
            an_operators_edit_survives_a_restart_of_the_registry,
            an_entry_that_was_deleted_is_written_again,
            without_metrics_an_entry_is_as_announced,
            keys_and_values_are_those_of_go,
            what_makes_no_sense_is_passed_over,
            wrong_settings_are_refused,
        }
    };
    ($bench:ty: $($rule:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                if let Some(server) = registry::PrivateServer::start::<$bench>(stringify!($rule)) {
                    registry::contract::$rule::<$bench>(&server).await;
                }
            }
        )*

        /// What a test starts a second process of.
        #[test]
        fn another_process() {
            registry::run_as_another_process::<$bench>();
        }
    };
}
