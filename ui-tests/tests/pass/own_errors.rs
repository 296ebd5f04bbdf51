//! An error type of one's own, by itself and behind an alias.

#[derive(Debug)]
pub enum Failure {
    Overflow,
    Rpc(rpcx::Error),
}

impl rpcx::ServiceError for Failure {
    fn to_wire(&self) -> String {
        format!("{self:?}")
    }

    fn from_wire(error: rpcx::Error) -> Self {
        Self::Rpc(error)
    }
}

pub type MyResult<T> = Result<T, Failure>;
pub type UnitResult = MyResult<()>;

#[rpcx::service]
pub trait Arith {
    async fn mul(&self, a: i32) -> Result<i32, Failure>;
    async fn add(&self, a: i32) -> MyResult<i32>;
    #[rpcx(oneway)]
    async fn end(&self) -> UnitResult;
}

struct My;

impl Arith for My {
    async fn mul(&self, a: i32) -> MyResult<i32> {
        a.checked_mul(2).ok_or(Failure::Overflow)
    }

    async fn add(&self, a: i32) -> MyResult<i32> {
        Ok(a)
    }

    async fn end(&self) -> UnitResult {
        Ok(())
    }
}

async fn call(client: ArithClient) -> MyResult<i32> {
    client.end().await?;
    client.add(client.mul(1).await?).await
}

fn main() {
    let _ = call;
    let _ = rpcx::Server::new().add(ArithServer::new(My));
}
