//! The names of what is generated, and methods that are called like it.

use rpcx::Client;

#[rpcx::service(client = ArithStub, server = ArithSkeleton)]
pub trait Arith {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

#[rpcx::service(server = false)]
pub trait OnlyClient {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

#[rpcx::service(client = false)]
pub trait OnlyServer {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

#[rpcx::service(client_trait = false)]
pub trait NoTrait {
    async fn mul(&self, a: i32) -> rpcx::Result<i32>;
}

#[rpcx::service]
pub trait Awkward {
    async fn new(&self, a: i32) -> rpcx::Result<i32>;
    async fn connect_to(&self, a: &str) -> rpcx::Result<i32>;
    async fn connect(&self) -> rpcx::Result<i32>;
    async fn builder(&self) -> rpcx::Result<i32>;
    async fn service(&self) -> rpcx::Result<i32>;
    async fn service_info(&self) -> rpcx::Result<i32>;
    async fn channel(&self) -> rpcx::Result<i32>;
    async fn clone(&self) -> rpcx::Result<i32>;
    async fn inherit(&self) -> rpcx::Result<i32>;
    async fn start(&self) -> rpcx::Result<i32>;
    async fn name(&self) -> rpcx::Result<i32>;
    async fn resolve(&self) -> rpcx::Result<i32>;
    async fn methods(&self) -> rpcx::Result<i32>;
    async fn info(&self) -> rpcx::Result<i32>;
    async fn fmt(&self) -> rpcx::Result<i32>;
}

async fn call(client: AwkwardClient) -> rpcx::Result<i32> {
    let arith = ArithStub::connect_to("tcp@127.0.0.1:8972").await?;
    let again = ArithStub::new(arith.channel().clone());
    again.mul(1).await?;
    ArithStub::connect().await?.mul(1).await?;
    let other = <AwkwardClient as Client>::connect_to("tcp@127.0.0.1:8972").await?;
    let another = <AwkwardClient as Client>::connect().await?;
    another.service().await?;
    other.new(1).await?;
    other.connect_to("x").await?;
    other.connect().await?;
    other.service_info().await?;
    other.clone().await?;
    client.builder().await
}

fn generic<T: Arith>(_: T) {}

fn main() {
    let _ = call;
    let _ = |arith: ArithStub, only: OnlyClientClient, no: NoTraitClient| {
        generic(arith);
        (only, no)
    };
    fn server<T: OnlyServer + 'static>(server: T) -> OnlyServerServer<T> {
        OnlyServerServer::new(server)
    }
    struct My;
    impl OnlyServer for My {
        async fn mul(&self, a: i32) -> rpcx::Result<i32> {
            Ok(a)
        }
    }
    let _ = rpcx::Server::new().add(server(My));
}
