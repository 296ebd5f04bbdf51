use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, rpcx::ServiceError)]
#[service_error(color = "red")]
pub enum StockError {
    SoldOut,
    #[service_error(other, color = "red")]
    #[serde(skip)]
    Other(rpcx::Error),
}

// What is wrong with the type is told once, not at its uses.
#[rpcx::service]
pub trait Stock {
    async fn take(&self) -> Result<i32, StockError>;
}

fn main() {}
