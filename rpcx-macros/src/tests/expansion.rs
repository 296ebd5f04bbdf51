//! What a service expands to, compared with files that are made to be read.
//!
//! `UPDATE_SNAPSHOTS=1 cargo test -p rpcx-macros` writes them anew.

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
    if env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(&path, &text).expect("the snapshot can be written");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, expected, "{name} differs");
}
