use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, rpcx::ServiceError)]
pub enum StockError<'a> {
    Missing(&'a str),
    #[service_error(other)]
    #[serde(skip)]
    Other(rpcx::Error),
}

fn main() {}
