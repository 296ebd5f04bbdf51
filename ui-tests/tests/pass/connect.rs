//! A client finds its server through the registry that the trait names.

#[rpcx::service(registry = "peer2peer", servers = "memory@peer")]
pub trait Peer {
    async fn mul(&self, a: i32, b: i32) -> rpcx::Result<i32>;
}

#[rpcx::service(registry = "inprocess", select = "round_robin", fail_mode = "failover")]
pub trait Inner {
    async fn mul(&self, a: i32, b: i32) -> rpcx::Result<i32>;
}

struct My;

impl Peer for My {
    async fn mul(&self, a: i32, b: i32) -> rpcx::Result<i32> {
        Ok(a * b)
    }
}

impl Inner for My {
    async fn mul(&self, a: i32, b: i32) -> rpcx::Result<i32> {
        Ok(a * b)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = rpcx::Server::new().add(PeerServer::new(My)).add(InnerServer::new(My));
    let server = server.bind("memory@peer").await?;
    tokio::spawn(server.serve());
    assert_eq!(PeerClient::connect().await?.mul(10, 20).await?, 200);
    assert_eq!(InnerClient::connect().await?.mul(10, 20).await?, 200);
    // What the program says counts more than what the trait says.
    assert!(InnerClient::connect_to("memory@other").await.is_err());
    Ok(())
}
