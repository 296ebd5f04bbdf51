//! `Arith`, the service of rpcx's own examples.

use serde::{Deserialize, Serialize};

/// Two numbers.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Args {
    /// The first.
    pub a: i64,
    /// The second.
    pub b: i64,
}

/// One number.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Reply {
    /// The result.
    pub c: i64,
}

/// Arithmetic, as Go's examples have it: on the wire it is `Arith`, with the method `Mul`.
#[rpcx::service]
pub trait Arith {
    /// Multiplies.
    #[rpcx(idempotent)]
    async fn mul(&self, args: Args) -> rpcx::Result<Reply>;
}

/// Does the arithmetic.
#[derive(Debug)]
pub struct Calculator;

impl Arith for Calculator {
    async fn mul(&self, args: Args) -> rpcx::Result<Reply> {
        let product = args.a.checked_mul(args.b);
        product.map(|c| Reply { c }).ok_or_else(|| rpcx::Error::service("the product is too large"))
    }
}
