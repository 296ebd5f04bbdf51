//! `crate = …` names the runtime where it is not a dependency: a re-export, or a macro of another
//! crate.

pub mod facade {
    pub use rpcx as rpc;

    #[macro_export]
    macro_rules! arith {
        ($name:ident, $wire:literal) => {
            #[$crate::facade::rpc::service]
            #[rpcx(crate = $crate::facade::rpc, name = $wire, codec = "json")]
            pub trait $name {
                async fn mul(&self, a: i32) -> $crate::facade::rpc::Result<i32>;
            }
        };
    }
}

mod by_path {
    use crate::facade::rpc::rpcx;

    #[rpcx(crate = crate::facade::rpc, name = "Calc", dyn, mock)]
    #[crate::facade::rpc::service]
    pub trait Arith {
        async fn mul(&self, a: i32) -> crate::facade::rpc::Result<i32>;
    }

    #[derive(serde::Serialize, serde::Deserialize, crate::facade::rpc::ServiceError)]
    #[service_error(crate = crate::facade::rpc)]
    pub enum Failure {
        #[serde(skip)]
        #[service_error(other)]
        Other(crate::facade::rpc::Error),
    }
}

mod absolute {
    #[rpcx::service(crate = ::rpcx)]
    pub trait Arith {
        async fn mul(&self, a: i32) -> rpcx::Result<i32>;
    }
}

crate::arith!(Calculator, "Calc");

fn dynamic(mock: by_path::ArithMock) -> Box<dyn by_path::DynArith> {
    Box::new(mock)
}

fn main() {
    let _: (_, Option<by_path::Failure>) = (dynamic, None);
    let _: Option<(by_path::ArithClient, absolute::ArithClient, CalculatorClient)> = None;
}
