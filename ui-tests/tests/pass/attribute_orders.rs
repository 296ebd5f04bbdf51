//! Every way of writing the options gives the same service.

mod below {
    #[rpcx::service]
    #[rpcx(name = "Calc")]
    pub trait Arith {
        async fn mul(&self, a: i32) -> rpcx::Result<i32>;
    }
}

mod inline {
    #[rpcx::service(name = "Calc")]
    pub trait Arith {
        async fn mul(&self, a: i32) -> rpcx::Result<i32>;
    }
}

mod above_with_import {
    use rpcx::rpcx;

    #[rpcx(name = "Calc")]
    #[rpcx::service]
    pub trait Arith {
        async fn mul(&self, a: i32) -> rpcx::Result<i32>;
    }
}

mod above_with_prelude {
    use rpcx::prelude::*;

    /// Documented.
    #[rpcx(name = "Calc")]
    /// In between.
    #[rpcx::service]
    pub trait Arith {
        async fn mul(&self, a: i32) -> rpcx::Result<i32>;
    }
}

mod above_by_path {
    #[rpcx::rpcx(name = "Calc")]
    #[rpcx::service]
    pub trait Arith {
        async fn mul(&self, a: i32) -> rpcx::Result<i32>;
    }
}

mod above_and_below {
    use rpcx::{rpcx, service as svc};

    #[rpcx(timeout = "2s")]
    #[rpcx(spawn)]
    #[svc(rename_all = "camelCase")]
    #[allow(dead_code)]
    #[rpcx(name = "Calc")]
    pub trait Arith {
        #[rpcx(name = "Mul")]
        async fn mul(&self, a: i32) -> rpcx::Result<i32>;
    }
}

mod conditional {
    #[rpcx::service]
    #[cfg_attr(all(), rpcx(name = "Calc"))]
    #[cfg_attr(any(), rpcx(name = "Other"))]
    #[cfg_attr(all(), rpcx(dyn), rpcx(mock))]
    pub trait Arith {
        async fn mul(&self, a: i32) -> rpcx::Result<i32>;
    }
}

mod twins_above {
    use rpcx::rpcx;

    #[rpcx(dyn)]
    #[rpcx(mock, name = "Calc")]
    #[rpcx::service]
    pub trait Arith {
        async fn mul(&self, a: i32) -> rpcx::Result<i32>;
    }
}

struct My;

fn twins() -> (Box<dyn conditional::DynArith>, Box<dyn twins_above::DynArith>) {
    (Box::new(conditional::ArithMock::new()), Box::new(twins_above::ArithMock::new()))
}

macro_rules! check {
    ($($module:ident),+) => {
        $(impl $module::Arith for My {
            async fn mul(&self, a: i32) -> rpcx::Result<i32> {
                Ok(a)
            }
        })+

        fn main() {
            let _ = twins();
            $({
                let server = $module::ArithServer::new(My);
                let methods = rpcx::__private::Service::methods(&server);
                let names: Vec<_> = methods.iter().map(|m| (m.service_path(), m.name())).collect();
                assert_eq!(names, [("Calc", "Mul")], "{}", stringify!($module));
            })+
        }
    };
}

check!(
    below,
    inline,
    above_with_import,
    above_with_prelude,
    above_by_path,
    above_and_below,
    conditional,
    twins_above
);
