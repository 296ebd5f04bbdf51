//! The context: found by its name, or marked; never sent.

use rpcx::Context as Ctx;

mod mine {
    #[derive(serde::Serialize, serde::Deserialize)]
    pub struct Context {
        pub a: i32,
    }
}

#[rpcx::service]
pub trait Arith {
    async fn only(&self, ctx: &rpcx::Context) -> rpcx::Result<i32>;
    async fn with_one(&self, ctx: &rpcx::Context, a: i32) -> rpcx::Result<i32>;
    async fn marked(&self, #[rpcx(ctx)] c: &Ctx, a: i32) -> rpcx::Result<i32>;
    async fn data(&self, #[rpcx(arg)] a: &mine::Context) -> rpcx::Result<i32>;
    async fn both(&self, ctx: &rpcx::Context, #[rpcx(arg)] a: &mine::Context) -> rpcx::Result<i32>;
}

struct Proxy(ArithClient);

impl Arith for Proxy {
    async fn only(&self, ctx: &rpcx::Context) -> rpcx::Result<i32> {
        Arith::only(&self.0, ctx).await
    }

    async fn with_one(&self, ctx: &rpcx::Context, a: i32) -> rpcx::Result<i32> {
        Arith::with_one(&self.0, ctx, a).await
    }

    async fn marked(&self, c: &Ctx, a: i32) -> rpcx::Result<i32> {
        self.0.with_one(a).inherit(c).await
    }

    async fn data(&self, a: &mine::Context) -> rpcx::Result<i32> {
        self.0.data(a).await
    }

    async fn both(&self, ctx: &rpcx::Context, a: &mine::Context) -> rpcx::Result<i32> {
        Arith::both(&self.0, ctx, a).await
    }
}

fn main() {
    let _ = |client: ArithClient| rpcx::Server::new().add(ArithServer::new(Proxy(client)));
}
