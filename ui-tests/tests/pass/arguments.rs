//! None, one and up to twelve parameters; owned, borrowed, and what a client may pass for them.

use std::{borrow::Cow, sync::Arc};

#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub struct Args {
    pub a: i32,
}

#[rpcx::service]
pub trait Arith {
    async fn ping(&self) -> rpcx::Result<()>;
    async fn owned(&self, args: Args) -> rpcx::Result<i32>;
    async fn borrowed(&self, args: &Args) -> rpcx::Result<i32>;
    async fn text(&self, text: String) -> rpcx::Result<i32>;
    async fn borrowed_text(&self, text: &str) -> rpcx::Result<i32>;
    async fn list(&self, list: Vec<u64>) -> rpcx::Result<i32>;
    async fn borrowed_list(&self, list: &[u64]) -> rpcx::Result<i32>;
    async fn mixed(&self, args: &Args, text: &str, number: u64, list: &[Args]) -> rpcx::Result<i32>;
    async fn two(&self, a: i32, #[rpcx(name = "B")] b: u64) -> rpcx::Result<i32>;
    async fn twelve(
        &self,
        a: u8,
        b: u8,
        c: u8,
        d: u8,
        e: u8,
        f: u8,
        g: u8,
        h: u8,
        i: u8,
        j: u8,
        k: u8,
        l: u8,
    ) -> rpcx::Result<i32>;
    async fn names(
        &self,
        chan: i32,
        out: i32,
        id: i32,
        args: i32,
        method: i32,
        slot: i32,
        request: i32,
    ) -> rpcx::Result<i32>;
}

async fn call(client: ArithClient) -> rpcx::Result<()> {
    let args = Args { a: 1 };
    client.ping().await?;
    client.owned(&args).await?;
    client.owned(args.clone()).await?;
    client.owned(Box::new(args.clone())).await?;
    client.owned(Arc::new(args.clone())).await?;
    client.owned(Cow::Borrowed(&args)).await?;
    client.borrowed(&args).await?;
    client.text("text").await?;
    client.text(String::new()).await?;
    client.text(&String::new()).await?;
    client.borrowed_text("text").await?;
    client.borrowed_text(&String::new()).await?;
    client.list(vec![1, 2]).await?;
    client.list(&[1, 2]).await?;
    client.list([1, 2].as_slice()).await?;
    client.borrowed_list(&[1, 2]).await?;
    client.borrowed_list(&vec![1, 2]).await?;
    client.mixed(&args, "text", 1, &[]).await?;
    client.two(1, 2).await?;
    client.twelve(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12).await?;
    client.names(1, 2, 3, 4, 5, 6, 7).await?;
    Ok(())
}

async fn through_trait(arith: impl Arith) -> rpcx::Result<()> {
    let args = Args { a: 1 };
    arith.owned(args.clone()).await?;
    arith.borrowed(&args).await?;
    arith.mixed(&args, "text", 1, &[]).await?;
    Ok(())
}

fn spawned(client: ArithClient) -> impl std::future::Future<Output = rpcx::Result<()>> + Send + 'static {
    async move {
        through_trait(client.clone()).await?;
        call(client).await
    }
}

fn main() {
    let _ = spawned;
}
