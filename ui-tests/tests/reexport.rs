//! Services of a package that does not depend on the runtime: another one exports it.

#[allow(dead_code, reason = "each test file uses a part")]
mod support;

use support::Package;

/// Exports the runtime by another name, and a macro that declares a service with it.
const FACADE: &str = r"
pub use rpcx as rpc;
pub use rpcx::service;

#[macro_export]
macro_rules! counter {
    ($name:ident) => {
        #[$crate::rpc::service(crate = $crate::rpc, dyn, mock)]
        pub trait $name {
            async fn count(&self, by: u32) -> $crate::rpc::Result<u32>;
        }
    };
}
";

const USER: &str = r#"
use facade::rpc::{rpcx, Context, Result, Server, ServiceError};

#[facade::service(crate = ::facade::rpc, dyn, mock)]
#[rpcx(timeout = "2s")]
pub trait Arith {
    #[rpcx(idempotent)]
    async fn mul(&self, context: &Context, a: i64, b: &str) -> Result<i64>;

    async fn div(&self, a: i64) -> std::result::Result<i64, Failure>;
}

#[derive(Debug, serde::Serialize, serde::Deserialize, ServiceError)]
#[service_error(crate = ::facade::rpc)]
pub enum Failure {
    Zero,
    #[service_error(other)]
    #[serde(skip)]
    Other(facade::rpc::Error),
}

facade::counter!(Counter);

struct Calculator;

impl Arith for Calculator {
    async fn mul(&self, _: &Context, a: i64, _: &str) -> Result<i64> {
        Ok(a)
    }

    async fn div(&self, _: i64) -> std::result::Result<i64, Failure> {
        Err(Failure::Zero)
    }
}

fn main() {
    drop(Server::new().add(ArithServer::new(Calculator)).add(CounterServer::new(CounterMock::new())));
    let _: Option<(ArithClient, Box<dyn DynArith>, ArithMock, CounterClient)> = None;
}
"#;

#[test]
fn a_package_uses_the_runtime_that_another_one_exports() {
    Package::new("facade", "2021", "rpcx-runtime = { path = \"RUNTIME\" }")
        .source("lib.rs", FACADE);
    let dependencies = "facade = { path = \"../../facade/2021\" }\nserde = { version = \"1\", features = [\"derive\"] }";
    let user = Package::new("reexport", "2024", dependencies).source("main.rs", USER);
    if let Err(errors) = user.cargo(&["check", "--quiet"]) {
        panic!("{errors}");
    }
}
