//! Generated code is silent under strict lints.
#![deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    rust_2018_idioms,
    unreachable_pub,
    unused,
    unused_qualifications,
    let_underscore_drop,
    single_use_lifetimes,
    unused_lifetimes,
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    unsafe_code
)]

/// Calculates.
#[rpcx::service(dyn, mock)]
pub(crate) trait Arith {
    /// Multiplies.
    async fn mul(&self, ctx: &rpcx::Context, a: i32, b: &[u8]) -> rpcx::Result<i32>;

    /// Adds.
    #[deprecated(note = "multiply")]
    async fn add(&self, a: i32) -> rpcx::Result<i32> {
        Ok(a)
    }

    /// Ends.
    #[rpcx(oneway)]
    async fn end(&self) -> rpcx::Result<()>;

    /// Sums.
    async fn sum(&self, mut numbers: Vec<i32>) -> rpcx::Result<i32> {
        numbers.push(1);
        Ok(numbers.into_iter().sum())
    }
}

/// An old service.
#[rpcx::service]
#[rpcx(dyn, mock)]
#[deprecated]
pub(crate) trait Old<K: serde::Serialize + serde::de::DeserializeOwned + Send + 'static> {
    /// Gets.
    async fn get(&self, key: K) -> rpcx::Result<K>;
}

struct My;

impl Arith for My {
    async fn mul(&self, _ctx: &rpcx::Context, a: i32, _b: &[u8]) -> rpcx::Result<i32> {
        Ok(a)
    }

    async fn end(&self) -> rpcx::Result<()> {
        Ok(())
    }
}

fn main() {
    drop(rpcx::Server::new().add(ArithServer::new(My)));
}
