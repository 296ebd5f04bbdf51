use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, rpcx::ServiceError)]
#[service_error(other)]
pub enum StockError {
    SoldOut,
    #[service_error(other, name = "Rest")]
    #[serde(skip)]
    Other(rpcx::Error),
}

// What is wrong with the type is told once, not at its uses.
#[rpcx::service]
pub trait Stock {
    async fn take(&self) -> Result<i32, StockError>;
}

fn main() {}
