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

    #[rpcx(crate = crate::facade::rpc, name = "Calc")]
    #[crate::facade::rpc::service]
    pub trait Arith {
        async fn mul(&self, a: i32) -> crate::facade::rpc::Result<i32>;
    }
}

mod absolute {
    #[rpcx::service(crate = ::rpcx)]
    pub trait Arith {
        async fn mul(&self, a: i32) -> rpcx::Result<i32>;
    }
}

crate::arith!(Calculator, "Calc");

fn main() {
    let _: Option<(by_path::ArithClient, absolute::ArithClient, CalculatorClient)> = None;
}
