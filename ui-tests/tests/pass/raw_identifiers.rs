//! Keywords as names of methods, parameters and the trait.

use rpcx::__private::Service;

#[rpcx::service]
pub trait r#Loop {
    async fn r#type(&self, r#fn: i32, r#match: String) -> rpcx::Result<i32>;
    async fn r#move(&self, r#in: &str) -> rpcx::Result<i32>;
    // No keyword, but the name of a constructor.
    async fn r#new(&self) -> rpcx::Result<i32>;
}

struct My;

impl Loop for My {
    async fn r#type(&self, r#fn: i32, r#match: String) -> rpcx::Result<i32> {
        drop(r#match);
        Ok(r#fn)
    }

    async fn r#move(&self, r#in: &str) -> rpcx::Result<i32> {
        Ok(r#in.len() as i32)
    }

    async fn r#new(&self) -> rpcx::Result<i32> {
        Ok(1)
    }
}

async fn call(client: LoopClient) -> rpcx::Result<i32> {
    client.r#type(1, "two").await?;
    client.new().await?;
    client.r#move("three").await
}

fn main() {
    let _ = call;
    let server = LoopServer::new(My);
    assert_eq!(server.info().name(), "Loop");
    assert_eq!(server.resolve(b"Type"), Some(0));
}
