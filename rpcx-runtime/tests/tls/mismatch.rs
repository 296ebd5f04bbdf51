//! One side speaks TLS, the other does not.

use rpcx::registry::MultipleServers;
use rpcx::{Bytes, FailMode, Server};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::world::{Clerk, DeskClient, Running, TCP, World, builder, connect, reason, soon};

async fn plain() -> Running {
    Running::at(TCP, Server::new().add(Clerk::service())).await
}

#[tokio::test]
async fn a_client_without_tls_is_told_that_the_server_speaks_it() {
    let running = Running::over(World::new().server()).await;
    let client = soon(builder().connect_to(&running.address)).await.unwrap();
    let told = soon(client.echo(Bytes::new()).into_future()).await.map_err(reason).unwrap_err();
    let expected = "the server speaks TLS, and this client does not: give its builder `.tls(…)` \
                    (feature `tls`)";
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_client_with_tls_does_not_fall_back() {
    let running = plain().await;
    let told = connect(&running.address, World::new().client()).await.unwrap_err();
    let expected = "TLS: the server ended the handshake; perhaps it does not speak TLS";
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_server_of_something_else_is_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("tcp@{}", listener.local_addr().unwrap());
    let answers = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut hello = [0; 64];
        stream.read_exact(&mut hello).await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        stream
    });
    let told = connect(&address, World::new().client()).await.unwrap_err();
    assert_eq!(told, "TLS: what answers does not speak TLS");
    soon(answers).await.unwrap();
}

#[tokio::test]
async fn calls_go_on_at_servers_that_understand() {
    let world = World::new();
    let (plain, encrypted) = (plain().await, Running::over(world.server()).await);
    let servers = || MultipleServers::new([&plain.address, &encrypted.address]).unwrap();
    let with = DeskClient::builder().tls(world.client());
    // The method may not run twice: it is called elsewhere as it did not run.
    for builder in [DeskClient::builder(), with] {
        let builder = builder.connect_timeout(crate::world::SAFETY).registry(servers());
        let client = soon(builder.fail_mode(FailMode::Failover).connect()).await.unwrap();
        for _ in 0..8 {
            soon(client.echo(Bytes::new()).into_future()).await.unwrap();
        }
    }
}
