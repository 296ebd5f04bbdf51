//! What a service expands to, compared with files that are made to be read.
//!
//! `BLESS=1 cargo test -p rpcx-macros` writes them anew.

use std::{env, fs, path::Path};

use proc_macro2::TokenStream;
use quote::quote;

use crate::entry;

#[test]
fn a_service_of_one_method() {
    let item = quote! {
        /// Calculates.
        pub trait Arith {
            /// Multiplies.
            #[rpcx(idempotent, timeout = "1m30s", alias = ["Multiply"])]
            async fn mul(&self, args: Args) -> rpcx::Result<Reply>;
        }
    };
    compare("one_method.rs", entry::service(&quote!(codec = "json"), &item));
}

#[test]
fn parameters_of_every_kind() {
    let item = quote! {
        trait Users {
            async fn count(&self) -> rpcx::Result<u64>;
            async fn find(&self, ctx: &rpcx::Context, name: &str, #[rpcx(name = "Groups")] groups: &[Group], limit: u32) -> Result<Vec<User>, Failure>;
            #[cfg(feature = "notes")]
            #[rpcx(oneway)]
            async fn note(&self, user: &User) -> rpcx::Result<()> {
                self.count().await?;
                Ok(())
            }
        }
    };
    compare("parameters.rs", entry::service(&TokenStream::new(), &item));
}

#[test]
fn a_generic_service() {
    let item = quote! {
        pub trait Store<K: Data, const N: usize = 2>: Debug where K: Clone {
            async fn get(&self, key: K) -> rpcx::Result<[K; N]>;
        }
    };
    compare("generic.rs", entry::service(&TokenStream::new(), &item));
}

#[test]
fn a_service_with_a_registry() {
    let options = quote! {
        registry = "consul",
        base_path = "/rpcx_test",
        servers = ["127.0.0.1:8500", "consul-2:8500"],
        update_interval = "30s",
        session_ttl = "15s",
        metrics = false,
        group = "blue",
        weight = 5,
        consul = "both",
        fail_mode = "failtry",
        select = "random"
    };
    let item = quote! {
        pub trait Arith {
            async fn mul(&self, args: Args) -> rpcx::Result<Reply>;
            #[rpcx(fail_mode = "failfast")]
            async fn connect(&self) -> rpcx::Result<()>;
        }
    };
    compare("registry.rs", entry::service(&options, &item));
}

#[test]
fn a_service_that_copes_with_failing_servers() {
    let options = quote! {
        client = false,
        server = false,
        select = "consistent_hash",
        timeout = "3s",
        attempt_timeout = "1s",
        fail_mode = "failover",
        retries = 5,
        retry = "at_least_once",
        retry_interval = "50ms",
        backup_latency = "20ms"
    };
    let item = quote! {
        pub trait Users {
            async fn find(&self, ctx: &rpcx::Context, limit: u32, #[rpcx(hash_key)] name: &str) -> rpcx::Result<u64>;
            #[rpcx(idempotent, fail_mode = "failbackup", retries = 0, retry = "safe", backup_latency = "5ms")]
            async fn count(&self, #[rpcx(hash_key)] group: String) -> rpcx::Result<u64>;
        }
    };
    compare("governance.rs", entry::service(&options, &item));
}

#[test]
fn mistakes_leave_what_other_code_needs() {
    let item = quote! {
        pub trait Arith {
            fn mul(&self, a: i32, b: i32) -> rpcx::Result<i32>;
            async fn add(&mut self, a: i32) -> rpcx::Result<i32>;
        }
    };
    compare("mistakes.rs", entry::service(&TokenStream::new(), &item));
}

#[test]
fn a_service_behind_dyn() {
    let item = quote! {
        pub trait Store<K: Data>: Debug {
            async fn get(&self, ctx: &rpcx::Context, key: K, names: &[String]) -> rpcx::Result<K>;
            #[cfg(unix)]
            async fn len(&self) -> rpcx::Result<u64>;
            #[rpcx(local)]
            fn name(&self) -> &str {
                "store"
            }
        }
    };
    compare("dynamic.rs", entry::service(&quote!(dyn, client = false, server = false), &item));
}

#[test]
fn a_service_with_a_mock() {
    let item = quote! {
        pub trait Store<K: Data>: Debug {
            /// Gets.
            async fn get(&self, ctx: &rpcx::Context, key: K, names: &[String]) -> rpcx::Result<K>;
            #[cfg(unix)]
            async fn len(&self, mut most: u64) -> rpcx::Result<u64> {
                most += 1;
                Ok(most)
            }
        }
    };
    compare("mock.rs", entry::service(&quote!(mock, client = false, server = false), &item));
}

#[test]
fn a_derived_error() {
    let item = quote! {
        pub enum StockError<T: Clone = i32> {
            SoldOut(T),
            #[service_error(other)]
            #[serde(skip)]
            Other { error: rpcx::Error },
        }
    };
    compare("derived_error.rs", entry::service_error(item));
}

#[test]
fn options_above_move_behind_the_other_attributes() {
    let item = quote!(
        #[doc = "d"]
        #[rpcx::service]
        pub trait Arith {}
    );
    let moved = entry::options(&quote!(name = "Calc"), &item);
    let expected = quote! {
        #[doc = "d"]
        #[rpcx::service]
        #[::rpcx::rpcx(__moved, name = "Calc")]
        pub trait Arith {}
    };
    assert_eq!(moved.to_string(), expected.to_string());
}

#[test]
fn options_above_carry_the_crate_path_along() {
    let item = quote!(
        #[facade::service]
        pub trait Arith {}
    );
    let moved = entry::options(&quote!(name = "Calc", crate = crate::facade), &item);
    let expected = quote! {
        #[facade::service]
        #[crate::facade::rpcx(__moved, name = "Calc", crate = crate::facade)]
        pub trait Arith {}
    };
    assert_eq!(moved.to_string(), expected.to_string());
}

fn compare(name: &str, expanded: TokenStream) {
    let file = syn::parse2(expanded).expect("the expansion is made of items");
    let text = prettyplease::unparse(&file);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/snapshots").join(name);
    if env::var_os("BLESS").is_some() {
        fs::write(&path, &text).expect("the snapshot can be written");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, expected, "{name} differs");
}
