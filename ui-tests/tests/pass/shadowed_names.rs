//! Generated code depends on nothing in scope: neither the prelude nor any name.
#![no_implicit_prelude]
#![allow(dead_code, non_camel_case_types)]

mod outer {
    mod core {}
    mod std {}
    mod alloc {}
    mod serde {}
    mod rpcx {}
    struct Option;
    struct Some;
    struct None;
    struct Result;
    struct Ok;
    struct Err;
    struct String;
    struct Vec;
    struct Box;
    struct u8;
    struct u16;
    struct bool;
    struct usize;
    trait Send {}
    trait Sync {}
    trait Future {}
    trait Clone {}
    trait IntoFuture {}
    struct Arc;
    struct Call;
    struct Method;
    struct M0;
    struct Default;
    struct Mutex;
    struct Pin;
    struct Answer;
    struct Debug;
    struct FnMut;
    struct Fn;
    type T = ();

    #[::rpcx::service(codec = "json", compress = "gzip", timeout = "2s")]
    pub trait Arith {
        async fn mul(
            &self,
            ctx: &::rpcx::Context,
            a: i32,
            text: &str,
            list: &[i64],
        ) -> ::rpcx::Result<i32>;
        #[rpcx(oneway, idempotent, alias = ["Note2"])]
        async fn note(&self) -> ::rpcx::Result<()> {
            ::std::result::Result::Ok(())
        }
        async fn one(&self, a: &[i64]) -> ::std::result::Result<i32, ::rpcx::Error>;
    }

    #[::rpcx::service(dyn, mock)]
    pub trait Twins<K: ::serde::Serialize + ::serde::de::DeserializeOwned + ::std::marker::Sync + ::std::marker::Send + 'static> {
        async fn get(
            &self,
            ctx: &::rpcx::Context,
            key: &K,
            text: &str,
        ) -> ::rpcx::Result<i32>;
        #[rpcx(oneway)]
        async fn note(&self, _key: K) -> ::std::result::Result<(), super::errors::Failure> {
            ::std::result::Result::Ok(())
        }
    }
}

mod errors {
    // Serde's derives break where `u8` or `str` is another type.
    mod core {}
    mod std {}
    mod alloc {}
    mod serde {}
    mod rpcx {}
    struct Option;
    struct Some;
    struct None;
    struct Result;
    struct Ok;
    struct Err;
    struct String;
    struct Error;
    struct ServiceError;
    trait TypedError {}

    #[derive(::serde::Serialize, ::serde::Deserialize, ::rpcx::ServiceError)]
    pub enum Failure {
        Full,
        #[serde(skip)]
        #[service_error(other)]
        Other(::rpcx::Error),
    }
}

fn main() {}
