#[derive(Debug, rpcx::ServiceError)]
pub enum StockError<T> {
    SoldOut(T),
    #[service_error(other)]
    #[serde(skip)]
    Other(rpcx::Error),
}

#[rpcx::service]
pub trait Stock {
    async fn take(&self) -> Result<i32, StockError<String>>;
}

fn main() {}
