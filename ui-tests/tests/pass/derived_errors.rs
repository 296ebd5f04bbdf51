//! `derive(ServiceError)`: every kind of variant, where the option may stand, and the names around.
#![deny(warnings, missing_docs, unused_qualifications, clippy::pedantic, clippy::nursery)]
#![allow(dead_code)]

use serde::{Deserialize, Serialize};

/// The attribute macro may be in scope.
mod with_prelude {
    use rpcx::prelude::*;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Serialize, Deserialize, rpcx::ServiceError)]
    pub enum StockError {
        SoldOut,
        #[service_error(other)]
        #[serde(skip)]
        Other(rpcx::Error),
    }

    #[rpcx(timeout = "2s")]
    #[rpcx::service]
    pub trait Stock {
        async fn take(&self) -> Result<(), StockError>;
    }
}

/// So may it by its name.
mod with_import {
    use rpcx::{ServiceError, rpcx};
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Serialize, Deserialize, ServiceError)]
    #[service_error(crate = ::rpcx)]
    pub enum StockError {
        SoldOut,
        #[service_error(other)]
        #[serde(skip)]
        Other(rpcx::Error),
    }

    #[rpcx(timeout = "2s")]
    #[rpcx::service]
    pub trait Stock {
        async fn take(&self) -> Result<(), StockError>;
    }
}

/// The derive comes first, and the variants have no JSON form of their own names.
#[derive(rpcx::ServiceError, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Failure {
    /// Go's struct.
    Known {
        /// The code.
        code: i32,
        /// The text.
        msg: String,
    },
    /// A list.
    Several(i32, String),
    /// What comes from elsewhere.
    #[serde(skip_serializing, skip_deserializing)]
    #[service_error(other)]
    Other {
        /// What it is.
        error: rpcx::Error,
    },
}

/// An error type may stand in for another one.
#[derive(Debug, Serialize, Deserialize, rpcx::ServiceError)]
pub enum Outer<T: Clone, const N: usize = 2>
where
    T: Send + Sync,
{
    /// A value.
    Value(T),
    /// Left to others.
    #[serde(skip)]
    #[service_error(other)]
    Inner(Failure),
}

/// Names the runtime, and says no by name.
#[derive(Debug, Serialize, Deserialize, rpcx::ServiceError)]
#[service_error(crate = ::rpcx)]
pub enum Named {
    /// What comes from elsewhere.
    #[serde(skip)]
    #[service_error(other = true)]
    Other(rpcx::Error),
    /// The only one.
    #[service_error(other = false)]
    Full,
}

macro_rules! error_type {
    ($name:ident { $($variant:ident($($ty:ty)?)),* } other $other:ident($error:ty)) => {
        /// Written by a macro.
        #[derive(Debug, Serialize, Deserialize, rpcx::ServiceError)]
        pub enum $name {
            $(#[allow(missing_docs)] $variant$(($ty))?,)*
            #[allow(missing_docs)]
            #[service_error(other)]
            #[serde(skip)]
            $other($error),
        }
    };
}

error_type!(Small { A(), B(i32) } other Rest(rpcx::Error));

/// Every type at work.
#[rpcx::service]
pub trait All {
    /// With a prelude.
    async fn stock(&self) -> Result<i32, with_prelude::StockError>;
    /// Untagged.
    async fn failure(&self) -> Result<i32, Failure>;
    /// Generic.
    async fn outer(&self) -> Result<i32, Outer<String>>;
    /// With names.
    async fn named(&self) -> Result<i32, Named>;
    /// By a macro.
    async fn small(&self) -> Result<i32, Small>;
}

fn main() {
    let error = rpcx::ServiceError::to_wire(&Failure::Known { code: 100, msg: "boom".to_owned() });
    assert_eq!(error, r#"{"code":100,"msg":"boom"}"#);
}
