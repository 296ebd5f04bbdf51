//! A service written by a `macro_rules!` macro, with every kind of variable.

macro_rules! service {
    (
        $(#[$attribute:meta])* $vis:vis trait $name:ident = $wire:literal;
        $($method:ident($($parameter:ident: $ty:ty),*) -> $result:ty;)+
    ) => {
        $(#[$attribute])*
        #[rpcx::service]
        #[rpcx(name = $wire, timeout = "1s")]
        $vis trait $name {
            $(async fn $method(&self $(, $parameter: $ty)*) -> $result;)+
        }
    };
}

service! {
    /// Calculates.
    pub trait Arith = "Calc";
    mul(a: i32) -> rpcx::Result<i32>;
    add(a: &str, b: &[i32]) -> rpcx::Result<i32>;
    ctx(c: &rpcx::Context, list: Vec<(i32, String)>) -> Result<Option<i32>, rpcx::Error>;
}

struct My;

impl Arith for My {
    async fn mul(&self, a: i32) -> rpcx::Result<i32> {
        Ok(a)
    }

    async fn add(&self, a: &str, _b: &[i32]) -> rpcx::Result<i32> {
        Ok(a.len() as i32)
    }

    async fn ctx(
        &self,
        _c: &rpcx::Context,
        _list: Vec<(i32, String)>,
    ) -> rpcx::Result<Option<i32>> {
        Ok(None)
    }
}

async fn call(client: ArithClient) -> rpcx::Result<Option<i32>> {
    client.mul(1).await?;
    client.add("a", &[1]).await?;
    client.ctx(Vec::new()).await
}

fn main() {
    let _ = call;
    let _ = rpcx::Server::new().add(ArithServer::new(My));
}
