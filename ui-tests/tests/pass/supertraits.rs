//! Supertraits are the implementor's to meet; a client that meets them is one too.

use std::fmt::Debug;

pub trait Named {
    fn name(&self) -> String;
}

#[rpcx::service]
pub trait Arith: Named + Debug {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;

    async fn greet(&self) -> rpcx::Result<String> {
        Ok(self.name())
    }
}

impl Named for ArithClient {
    fn name(&self) -> String {
        "client".to_owned()
    }
}

/// Asks of an implementation in a where clause.
#[rpcx::service]
pub trait Clause<K>
where
    Self: Named + Sized,
    K: serde::Serialize + serde::de::DeserializeOwned + Send + 'static,
{
    async fn mul(&self, a: K) -> rpcx::Result<K>;
}

#[derive(Debug)]
struct My;

impl Named for My {
    fn name(&self) -> String {
        "mine".to_owned()
    }
}

impl Clause<i32> for My {
    async fn mul(&self, a: i32) -> rpcx::Result<i32> {
        Ok(a)
    }
}

#[rpcx::service]
pub trait Closed: Named {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

async fn generic(arith: &impl Arith) -> rpcx::Result<i32> {
    arith.mul(1).await
}

async fn call(
    client: ArithClient,
    closed: ClosedClient,
    clause: ClauseClient<i32>,
) -> rpcx::Result<i32> {
    closed.mul(1).await?;
    clause.mul(1).await?;
    generic(&client).await
}

fn main() {
    let _ = call;
    let _ = rpcx::Server::new().add(ClauseServer::new(My));
}
