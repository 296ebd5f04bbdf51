#[derive(rpcx::ServiceError)]
pub union StockError {
    code: i32,
}

fn main() {}
