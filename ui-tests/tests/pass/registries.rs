//! What the options say about the registry, the choice of servers and their failures reaches both
//! sides.

use std::fmt::Debug;
use std::time::Duration;

use rpcx::__private::{MethodInfo, RegistryInfo, Service, ServiceInfo};
use rpcx::{Client, FailMode, SelectMode};

/// Neither type shows what it was told but by `Debug`.
fn assert_same(given: &impl Debug, expected: &impl Debug) {
    assert_eq!(format!("{given:?}"), format!("{expected:?}"));
}

struct My;

mod peer2peer {
    #[rpcx::service]
    #[rpcx(registry = "peer2peer", servers = "tcp@localhost:8972", group = "blue", weight = 5)]
    pub trait Arith {
        async fn mul(&self, a: i32) -> rpcx::Result<i32>;
    }

    impl Arith for super::My {
        async fn mul(&self, a: i32) -> rpcx::Result<i32> {
            Ok(a)
        }
    }
}

mod multiple {
    #[rpcx::service(name = "Calc", registry = "multiple", weight = 0, select = "round_robin")]
    #[rpcx(servers = ["tcp@localhost:8972?weight=5&group=a", "unix@/run/a.sock", "memory@a"])]
    pub trait Arith {
        async fn mul(&self, a: i32) -> rpcx::Result<i32>;
    }

    impl Arith for super::My {
        async fn mul(&self, a: i32) -> rpcx::Result<i32> {
            Ok(a)
        }
    }
}

mod inprocess {
    #[rpcx::service]
    #[rpcx(registry = "inprocess", group = "blue", weight = 5, select = "random")]
    #[rpcx(fail_mode = "failover")]
    pub trait Arith<T: Clone> {
        async fn mul(&self, a: i32) -> rpcx::Result<i32>;
        #[rpcx(fail_mode = "failfast", timeout = "2s", idempotent)]
        async fn add(&self, a: i32) -> rpcx::Result<i32>;
        #[rpcx(fail_mode = "failtry")]
        async fn sub(&self, a: i32) -> rpcx::Result<i32>;
    }

    impl Arith<u8> for super::My {
        async fn mul(&self, a: i32) -> rpcx::Result<i32> {
            Ok(a * 2)
        }

        async fn add(&self, a: i32) -> rpcx::Result<i32> {
            Ok(a)
        }

        async fn sub(&self, a: i32) -> rpcx::Result<i32> {
            Ok(a)
        }
    }
}

mod none {
    #[rpcx::service]
    pub trait Arith {
        async fn mul(&self, a: i32) -> rpcx::Result<i32>;
        #[rpcx(fail_mode = "failover")]
        async fn add(&self, a: i32) -> rpcx::Result<i32>;
    }

    impl Arith for super::My {
        async fn mul(&self, a: i32) -> rpcx::Result<i32> {
            Ok(a)
        }

        async fn add(&self, a: i32) -> rpcx::Result<i32> {
            Ok(a)
        }
    }
}

/// The runtime as it is with the feature `consul`.
mod facade {
    pub mod __private {
        pub use rpcx::__private::*;

        macro_rules! __registry_consul {
            () => {};
        }

        pub(crate) use __registry_consul;
    }
}

mod consul {
    #[rpcx::service(crate = crate::facade)]
    #[rpcx(registry = "consul", base_path = "/rpcx_test", consul = "both", metrics = false)]
    #[rpcx(servers = ["127.0.0.1:8500", "[::1]:8500"], group = "blue", weight = 5)]
    #[rpcx(update_interval = "1m30s", session_ttl = "15s")]
    pub trait Arith {
        async fn mul(&self, a: i32) -> rpcx::Result<i32>;
    }

    impl Arith for super::My {
        async fn mul(&self, a: i32) -> rpcx::Result<i32> {
            Ok(a)
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let registry = RegistryInfo::new("peer2peer").servers(&["tcp@localhost:8972"]);
    let info = ServiceInfo::new("Arith").registry(registry.group("blue").weight(5));
    assert_same(&peer2peer::ArithServer::new(My).info(), &info);
    assert_same(&peer2peer::ArithClient::service_info(), &Some(info));

    let servers = &["tcp@localhost:8972?weight=5&group=a", "unix@/run/a.sock", "memory@a"];
    let registry = RegistryInfo::new("multiple").servers(servers).weight(0);
    let info = ServiceInfo::new("Calc").registry(registry).select(SelectMode::RoundRobin);
    assert_same(&multiple::ArithServer::new(My).info(), &info);
    assert_same(&multiple::ArithClient::service_info(), &Some(info));

    let registry = RegistryInfo::new("inprocess").group("blue").weight(5);
    let info = ServiceInfo::new("Arith").registry(registry).select(SelectMode::Random);
    let server = inprocess::ArithServer::<_, u8>::new(My);
    assert_same(&server.info(), &info);
    assert_same(&inprocess::ArithClient::<u8>::service_info(), &Some(info));
    let mul = MethodInfo::new("Arith", "Mul").fail_mode(FailMode::Failover);
    let add = MethodInfo::new("Arith", "Add").timeout(Duration::from_secs(2)).idempotent();
    let add = add.fail_mode(FailMode::Failfast);
    let sub = MethodInfo::new("Arith", "Sub").fail_mode(FailMode::Failtry);
    assert_same(&server.methods(), &[mul, add, sub]);

    let registry = RegistryInfo::new("consul").base_path("/rpcx_test").layout("both");
    let registry = registry.servers(&["127.0.0.1:8500", "[::1]:8500"]).metrics(false);
    let registry = registry.update_interval(Duration::from_secs(90)).group("blue").weight(5);
    let info = ServiceInfo::new("Arith").registry(registry.session_ttl(Duration::from_secs(15)));
    assert_same(&consul::ArithServer::new(My).info(), &info);
    assert_same(&consul::ArithClient::service_info(), &Some(info));

    let info = ServiceInfo::new("Arith");
    let server = none::ArithServer::new(My);
    assert_same(&server.info(), &info);
    assert_same(&none::ArithClient::service_info(), &Some(info));
    let add = MethodInfo::new("Arith", "Add").fail_mode(FailMode::Failover);
    assert_same(&server.methods(), &[MethodInfo::new("Arith", "Mul"), add]);
    assert!(none::ArithClient::connect().await.is_err());
}
