//! The attributes of `rpcx-runtime`: a trait in, a typed client and a server out.
//!
//! Use them through that crate, whose library is called `rpcx`: it exports both, and the code they
//! generate names its types.
//!
//! ```ignore
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
//! - `ArithServer`, which serves an implementation of `Arith`.
//!
//! On the wire the method is `Arith`.`Mul`, as Go's rpcx would call it.
//!
//! The way through this crate: `attr` reads options, `parse` the trait, both into `model`;
//! `validate` checks what needs several items; `expand` writes the code. Mistakes are collected on
//! the way (`ctxt`) and shown together.

mod attr;
mod ctxt;
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
/// ```ignore
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
/// # On the trait
///
/// | option | value | default |
/// |---|---|---|
/// | `name` | the wire name of the service | the trait's name |
/// | `rename_all` | the rule for the wire names of methods: `"PascalCase"`, `"camelCase"`, `"snake_case"`, `"verbatim"` | `"PascalCase"` |
/// | `registry` | where servers are written down and found: see below | none |
/// | `select` | how clients choose a server: `"random"`, `"round_robin"` | `"random"` |
/// | `fail_mode` | what a call does when a server fails: `"failover"`, `"failfast"`, `"failtry"` | `"failtry"` |
/// | `codec` | `"msgpack"`, `"json"`, `"protobuf"`, `"raw"` | `"msgpack"` |
/// | `compress` | `"none"`, `"gzip"` | `"none"` |
/// | `timeout` | how long a call may take, such as `"1m30s"` | no limit |
/// | `spawn` | each call gets a task of its own | off |
/// | `client`, `server` | `false`, or another name of the generated type | `ArithClient`, `ArithServer` |
/// | `client_trait` | `false`: the client does not implement the trait | `true` |
/// | `crate` | the path of the runtime, without quotes | `::rpcx` |
///
/// # About the registry
///
/// Options of the trait that go with `registry`. What they say is a default: a builder and the
/// environment (`RPCX_REGISTRY` and others) count more.
///
/// | option | value | default | goes with |
/// |---|---|---|---|
/// | `registry` | `"peer2peer"`, `"multiple"`, `"inprocess"`; with the cargo feature of that name `"zookeeper"`, `"etcd"`, `"consul"`, `"mdns"` | none | |
/// | `servers` | the service's server, `"tcp@host:port"` | it has to be given | peer2peer |
/// | | the service's servers, `["tcp@host:port?weight=5", …]` | they have to be given | multiple |
/// | | the registry's servers, `["host:port", …]` | its usual port on this machine | zookeeper, etcd, consul |
/// | `base_path` | the namespace, such as `"/rpcx_test"` | `"/rpcx"` | zookeeper, etcd, consul |
/// | `update_interval` | how often an entry's metrics are written; one that is not kept alive for twice this long is gone | `"60s"` | zookeeper, etcd, consul, mdns |
/// | `metrics` | `false`: entries are written without metrics | `true` | zookeeper, etcd, consul, mdns |
/// | `session_ttl` | how soon the entry of a dead server goes | `"10s"`, or twice the `update_interval` if that is less | zookeeper, etcd, consul |
/// | `consul` | the form of an entry: `"kv"` (Go's keys), `"service"` (a native service), `"both"` | `"kv"` | consul |
/// | `group`, `weight` | what servers say of themselves | none | all |
///
/// ```ignore
/// #[rpcx::service]
/// #[rpcx(registry = "consul", base_path = "/rpcx_test", fail_mode = "failtry", select = "random")]
/// pub trait Arith {
///     async fn mul(&self, args: Args) -> rpcx::Result<Reply>;
/// }
/// ```
///
/// # On a method
///
/// | option | value | default |
/// |---|---|---|
/// | `name` | the wire name of the method | the renamed identifier |
/// | `alias` | a list of further wire names that the server answers | none |
/// | `oneway` | nobody waits for a reply; the method returns `Result<()>` | off |
/// | `idempotent` | the call may be repeated when it may have run already | off |
/// | `timeout`, `fail_mode`, `spawn` | as on the trait, for this method | the trait's |
/// | `local` | the method is not called remotely; it needs a body | off |
///
/// # On a parameter
///
/// | option | value | default |
/// |---|---|---|
/// | `name` | its field, where several parameters are sent | the identifier |
/// | `ctx` | this is the context, whatever its type is called | a first `&…Context` |
/// | `arg` | this is data although its type is called `Context` | off |
///
/// # Reserved
///
/// These options are known, and an error until they do something: `retries`, `retry`,
/// `retry_interval`, `backup_latency`, `attempt_timeout`, `dyn`, `mock`, `hash_key`; so are the
/// fail mode `"failbackup"` and the selectors `"weighted_round_robin"`, `"weighted_ping"`,
/// `"consistent_hash"`, `"closest"` and `"least_pending"`.
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
/// ```ignore
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
