use serde::Serialize;

#[derive(Debug, Serialize, rpcx::ServiceError)]
pub enum StockError {
    SoldOut,
    #[service_error(other)]
    #[serde(skip)]
    Other(rpcx::Error),
}

#[rpcx::service]
pub trait Stock {
    async fn take(&self) -> Result<i32, StockError>;
}

fn main() {}
