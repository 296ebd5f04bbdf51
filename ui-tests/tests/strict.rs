//! Generated code says nothing under the strictest lints, clippy's among them.

use std::io::Write;
use std::process::Command;

#[allow(dead_code, reason = "each test file uses a part")]
mod support;

use support::Package;

const DEPENDENCIES: &str = r#"
rpcx-runtime = { path = "RUNTIME", features = ["schema"] }
schemars = "1"
serde = { version = "1", features = ["derive"] }
"#;

/// What each option generates, in the code of someone who denies all that there is to deny.
const SERVICES: &str = r#"
//! Services.
#![deny(
    missing_docs,
    missing_debug_implementations,
    rust_2018_idioms,
    unreachable_pub,
    unused,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    clippy::nursery
)]

use rpcx::Context;

/// What is sent.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Args {
    /// A number.
    pub a: i64,
}

/// What can fail.
#[derive(Debug, serde::Serialize, serde::Deserialize, rpcx::ServiceError)]
pub enum Failure {
    /// Nothing is there.
    Missing,
    /// Any other.
    #[service_error(other)]
    #[serde(skip)]
    Other(rpcx::Error),
}

/// All that methods can be.
#[rpcx::service(dyn, mock)]
#[rpcx(registry = "inprocess", group = "blue", weight = 5, select = "consistent_hash")]
#[rpcx(timeout = "2s", retries = 2, retry_interval = "20ms", attempt_timeout = "1s", rename_all = "verbatim")]
pub trait Everything {
    /// Takes nothing.
    async fn nothing(&self) -> rpcx::Result<()>;

    /// Takes a value.
    #[rpcx(idempotent, fail_mode = "failbackup", backup_latency = "5ms", alias = ["One"])]
    async fn one(&self, args: Args) -> rpcx::Result<Args>;

    /// Takes several.
    async fn several(&self, #[rpcx(hash_key)] a: u64, #[rpcx(name = "B")] b: String) -> rpcx::Result<u64>;

    /// Borrows.
    async fn borrowed(&self, a: &Args, b: &str, c: &[u8]) -> rpcx::Result<u64>;

    /// Takes the context.
    async fn in_context(&self, ctx: &Context, args: Args) -> Result<Args, Failure>;

    /// Takes the context and borrows.
    #[rpcx(spawn)]
    async fn borrowed_in_context(&self, #[rpcx(ctx)] context: &Context, args: &Args) -> Result<Args, Failure>;

    /// Is never answered.
    #[rpcx(oneway)]
    async fn told(&self, args: Args) -> rpcx::Result<()>;

    /// Has a body.
    async fn with_body(&self, mut numbers: Vec<i32>) -> rpcx::Result<usize> {
        numbers.push(1);
        Ok(numbers.len())
    }

    /// Goes.
    #[deprecated(note = "take `one`")]
    async fn old(&self) -> rpcx::Result<()>;

    /// Is of use to both sides.
    #[rpcx(local)]
    fn doubled(&self, number: i64) -> i64 {
        number * 2
    }
}

/// Without the client's trait.
#[rpcx::service(client_trait = false, registry = "multiple", servers = ["tcp@localhost:8972"])]
#[rpcx(codec = "json", compress = "gzip", name = "Other")]
pub trait WithoutTrait {
    /// Takes a value.
    async fn one(&self, args: Args) -> rpcx::Result<Args>;
}

/// With types of its own.
#[rpcx::service(dyn, mock, client = GenericStub, server = GenericSkeleton)]
pub trait Generic<K, const N: usize>
where
    K: serde::Serialize + serde::de::DeserializeOwned + schemars::JsonSchema + Send + Sync + 'static,
{
    /// Takes a value.
    async fn one(&self, key: K) -> rpcx::Result<K>;

    /// Borrows one.
    async fn borrowed(&self, key: &K) -> rpcx::Result<bool>;
}
"#;

#[test]
fn generated_code_is_silent_under_pedantic_and_nursery_lints() {
    let cargo = Command::new(env!("CARGO")).args(["clippy", "-V"]).output().expect("cargo runs");
    if !cargo.status.success() {
        let text =
            b"skipped generated_code_is_silent_under_pedantic_and_nursery_lints: no clippy\n";
        std::io::stderr().write_all(text).expect("the error output is open");
        return;
    }
    let package = Package::new("strict", "2024", DEPENDENCIES).source("lib.rs", SERVICES);
    if let Err(errors) = package.cargo(&["clippy", "--quiet", "--lib"]) {
        panic!("{errors}");
    }
}
