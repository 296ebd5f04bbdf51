use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, rpcx::ServiceError)]
pub enum StockError {
    SoldOut,
    #[service_error]
    #[serde(skip)]
    Other(rpcx::Error),
}

fn main() {}
