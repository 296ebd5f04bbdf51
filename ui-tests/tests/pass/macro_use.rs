//! `#[macro_use]` on the crate brings the attributes into every module.

#[macro_use]
extern crate rpcx;

mod deep {
    pub mod deeper {
        #[rpcx(name = "Calc")]
        #[service]
        pub trait Arith {
            async fn mul(&self, a: i32) -> rpcx::Result<i32>;
        }
    }
}

fn main() {
    let _ = rpcx::Client::builder as fn() -> rpcx::client::ClientBuilder<deep::deeper::ArithClient>;
}
