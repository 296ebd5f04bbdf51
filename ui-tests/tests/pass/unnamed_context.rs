//! The context needs no name where nobody uses it, and a macro may stand for the result.

use rpcx::Context;

macro_rules! reply {
    ($ty:ty) => { rpcx::Result<$ty> };
}

#[rpcx::service(dyn, mock)]
trait Arith {
    async fn mul(&self, _: &Context, a: i32, b: i32) -> rpcx::Result<i32>;

    async fn double(&self, _: &Context, a: i32) -> rpcx::Result<i32> {
        Ok(2 * a)
    }

    async fn half(&self, a: i32) -> reply!(i32);
}

struct My;

impl Arith for My {
    async fn mul(&self, _: &Context, a: i32, b: i32) -> rpcx::Result<i32> {
        Ok(a * b)
    }

    async fn half(&self, a: i32) -> rpcx::Result<i32> {
        Ok(a / 2)
    }
}

async fn call(client: ArithClient, context: &Context) -> rpcx::Result<i32> {
    let product = client.mul(2, 3).await? + Arith::mul(&client, context, 2, 3).await?;
    Ok(client.double(product).await? + client.half(product).await?)
}

fn main() {
    let _ = ArithServer::new(My);
    let _ = call;
}
