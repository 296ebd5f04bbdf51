use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, rpcx::ServiceError)]
pub enum StockError {
    SoldOut,
    #[service_error(other)]
    #[serde(skip_serializing)]
    Other(String),
}

// What is wrong with the type is told once, not at its uses.
#[rpcx::service]
pub trait Stock {
    async fn take(&self) -> Result<i32, StockError>;
}

fn main() {}
