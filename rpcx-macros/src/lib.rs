//! The attributes of `rpcx-runtime`: a trait in, a typed client and a server out.
//!
//! Use them through that crate, whose library is called `rpcx`: it exports both, and the code they
//! generate names its types.
//!
//! ```
//! # use serde::{Deserialize, Serialize};
//! # #[derive(Serialize, Deserialize)] pub struct Args { a: i64, b: i64 }
//! # #[derive(Serialize, Deserialize)] pub struct Reply { c: i64 }
//! #[rpcx::service]
//! pub trait Arith {
//!     /// Multiplies.
//!     #[rpcx(idempotent)]
//!     async fn mul(&self, args: Args) -> rpcx::Result<Reply>;
//! }
//! ```
//!
//! makes of the trait a contract that both sides meet, and beside it
//!
//! - `ArithClient`, whose `mul` gives a call that runs when it is awaited, and which implements
//!   `Arith` itself;
//! - `ArithServer`, which serves an implementation of `Arith`;
//! - on demand `DynArith`, the trait behind a pointer, and `ArithMock`, a stand-in for tests.
//!
//! On the wire the method is `Arith`.`Mul`, as Go's rpcx would call it.
//!
//! The way through this crate: `attr` reads options, `parse` the trait, both into `model`;
//! `validate` checks what needs several items; `expand` writes the code. Mistakes are collected on
//! the way (`ctxt`) and shown together.

mod attr;
mod ctxt;
mod derive;
mod entry;
mod expand;
mod hygiene;
mod model;
mod names;
mod parse;
mod suggest;
#[cfg(test)]
mod tests;
mod validate;

use proc_macro::TokenStream;

/// Makes a trait the contract of a service, with a client and a server for it.
///
/// Each method is an `async fn` that takes `&self` and up to twelve parameters, and returns a
/// `Result`: a remote call can fail. The first parameter may be `&rpcx::Context`; it is not sent.
/// Parameters and replies implement serde's `Serialize` and `Deserialize`; a parameter may be
/// borrowed as a whole (`&T`, `&str`, `&[T]`), which spares the client a clone.
///
/// ```
/// # #[derive(serde::Serialize, serde::Deserialize)] pub struct User { name: String }
/// #[rpcx::service(timeout = "2s")]
/// pub trait Users {
///     /// Finds a user.
///     #[rpcx(idempotent)]
///     async fn find(&self, ctx: &rpcx::Context, name: &str) -> rpcx::Result<Option<User>>;
///
///     /// Adds what was seen; no reply is sent.
///     #[rpcx(oneway, name = "Record")]
///     async fn seen(&self, name: String, times: u32) -> rpcx::Result<()>;
/// }
/// ```
///
/// Options stand in the parentheses of this attribute or in [`#[rpcx(...)]`](macro@rpcx) on the
/// trait, on methods and on parameters. Each may be given once. The wire name of the service is
/// the trait's.
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Clone, Serialize, Deserialize)] pub struct Args { a: i64, b: i64 }
/// # #[derive(Serialize, Deserialize)] pub struct Reply { c: i64 }
/// #[rpcx::service]
/// #[rpcx(registry = "inprocess", fail_mode = "failtry", select = "random")]
/// pub trait Arith {
///     async fn mul(&self, args: Args) -> rpcx::Result<Reply>;
/// }
/// ```
///
/// # Behind a pointer
///
/// The trait itself cannot be behind `dyn`, since each implementation has futures of its own. With the
/// option `dyn` there is also `DynArith`, whose futures are boxed. Every `Arith` is a `DynArith`, and
/// `Box<dyn DynArith>`, `Arc<dyn DynArith>` and `dyn DynArith` are an `Arith` again: a program chooses
/// its implementation while it runs, and passes it to `ArithServer::new` or to generic code.
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Clone, Serialize, Deserialize)] pub struct Args { a: i64, b: i64 }
/// # #[derive(Serialize, Deserialize)] pub struct Reply { c: i64 }
/// # struct Calculator;
/// # impl Arith for Calculator {
/// #     async fn mul(&self, args: Args) -> rpcx::Result<Reply> { Ok(Reply { c: args.a * args.b }) }
/// # }
/// #[rpcx::service(dyn)]
/// pub trait Arith {
///     async fn mul(&self, args: Args) -> rpcx::Result<Reply>;
/// }
///
/// # async fn choose(local: bool, client: ArithClient, args: Args) -> rpcx::Result<()> {
/// let arith: Box<dyn DynArith> = if local { Box::new(Calculator) } else { Box::new(client) };
/// arith.mul(args).await?;
/// # Ok(()) }
/// ```
///
/// Local methods are called through the pointer too, if they take `&self` and have no type parameters
/// and no where clause; of others, and of constants, the pointer has the trait's default.
///
/// # In tests
///
/// With the option `mock` there is `ArithMock`, an `Arith` whose methods are closures.
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Clone, Serialize, Deserialize)] pub struct Args { a: i64, b: i64 }
/// # #[derive(Serialize, Deserialize)] pub struct Reply { c: i64 }
/// #[rpcx::service]
/// #[cfg_attr(not(any()), rpcx(mock))] // in a program: `#[cfg_attr(test, rpcx(mock))]`
/// pub trait Arith {
///     async fn mul(&self, args: Args) -> rpcx::Result<Reply>;
/// }
///
/// # async fn code_under_test(arith: impl Arith) { arith.mul(Args { a: 6, b: 7 }).await.unwrap(); }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let mock = ArithMock::new().on_mul(|args| Ok(Reply { c: args.a * args.b }));
/// code_under_test(mock.clone()).await;
/// assert_eq!(mock.calls(), ["mul"]);
/// # }
/// ```
///
/// `on_mul` takes a closure with the method's parameters, the context included, that returns its
/// result; `on_mul_async` one that returns a future, which owns what it needs. A closure may have a
/// state: it runs for one call at a time. `calls` lists the called methods; it is named `mock_calls` if
/// the service has a method `calls`. Methods without a closure run their default body, or return an
/// error that says what is missing. Local methods are those of the trait.
///
/// The runtime's guide has the rest: `rpcx::guide::services` tells how to declare a service, with an
/// example of every option; `rpcx::guide::options` is the table of all options, with their defaults;
/// `rpcx::guide::expansion` shows what a trait becomes.
#[proc_macro_attribute]
pub fn service(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::service(&args.into(), &item.into()).into()
}

/// Options of a service, of one of its methods or of a parameter: see
/// [`#[rpcx::service]`](macro@service).
///
/// Behind `#[rpcx::service]` it needs no import. In front of it, the compiler looks the name up
/// first: import it (`use rpcx::prelude::*;`) or write `#[rpcx::rpcx(...)]`.
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Clone, Serialize, Deserialize)] pub struct Args { a: i64, b: i64 }
/// # #[derive(Serialize, Deserialize)] pub struct Reply { c: i64 }
/// #[rpcx::service]
/// #[rpcx(timeout = "2s")]
/// pub trait Arith {
///     #[rpcx(name = "Multiply")]
///     async fn mul(&self, args: Args) -> rpcx::Result<Reply>;
/// }
/// ```
#[proc_macro_attribute]
pub fn rpcx(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::options(&args.into(), &item.into()).into()
}

/// Implements `rpcx::ServiceError` for an enum: errors that cross the wire as JSON and come back as the
/// same value.
///
/// ```
/// #[derive(Debug, serde::Serialize, serde::Deserialize, rpcx::ServiceError)]
/// pub enum StockError {
///     SoldOut,
///     Missing { code: i32, item: String },
///     #[service_error(other)]
///     #[serde(skip)]
///     Other(rpcx::Error),
/// }
/// ```
///
/// What is written is the JSON text of the value as its `Serialize` says, so serde's attributes shape
/// it: `StockError::SoldOut` is `"SoldOut"`, and a variant of an enum with `#[serde(untagged)]` is
/// what Go's rpcx sends for an error struct of its own, `{"code":100,"msg":"boom"}`.
///
/// One variant is marked `#[service_error(other)]`. It receives whatever is no JSON of this type: a
/// text of Go's or of another version, a timeout, a lost connection. It holds one value, an
/// `rpcx::Error` or another type with `ServiceError`, and is sent as that one is; serde leaves it out
/// (`#[serde(skip)]`).
///
/// `Serialize` and `Deserialize` are derived too; beside implementations of your own, write that of
/// `ServiceError` by hand. Type parameters and constants are allowed, lifetimes are not.
/// `#[service_error(crate = ...)]` on the enum names the runtime where it is not `::rpcx`. The cargo
/// feature `json` of `rpcx-runtime` is needed; it is on by default.
#[proc_macro_derive(ServiceError, attributes(service_error))]
pub fn service_error(item: TokenStream) -> TokenStream {
    entry::service_error(item.into()).into()
}
