//! A server that cannot be reached is avoided at once, whatever the registry still says.

use std::time::Duration;

use rpcx::registry::MultipleServers;
use rpcx::{Error, FailMode, SelectMode, Server};

#[rpcx::service]
trait Echo {
    async fn echo(&self, number: i64) -> rpcx::Result<i64>;
}

struct Service;

impl Echo for Service {
    async fn echo(&self, number: i64) -> rpcx::Result<i64> {
        Ok(number)
    }
}

/// Serves at a memory address until dropped.
async fn serve(address: &str) -> tokio::task::JoinHandle<()> {
    tokio::spawn(Server::new().add(EchoServer::new(Service)).bind(address).await.unwrap().serve())
}

/// A client of two servers that takes them in turn and makes no call again.
async fn client(servers: [&str; 2]) -> EchoClient {
    let registry = MultipleServers::new(servers).unwrap();
    let builder = EchoClient::builder().registry(registry).select(SelectMode::RoundRobin);
    builder.fail_mode(FailMode::Failfast).connect().await.unwrap()
}

async fn failures(client: &EchoClient, calls: i64) -> usize {
    let mut failures = 0;
    for number in 0..calls {
        match client.echo(number).await {
            Ok(reply) => assert_eq!(reply, number),
            Err(Error::Connect { .. }) => failures += 1,
            Err(error) => panic!("{error}"),
        }
    }
    failures
}

#[tokio::test(start_paused = true)]
async fn one_call_finds_out_and_the_next_ones_go_elsewhere() {
    let serving = serve("memory@avoidance-alive").await;
    let client = client(["memory@avoidance-alive", "memory@avoidance-dead"]).await;
    assert_eq!(failures(&client, 40).await, 1);
    // It is tried again, each time later than the last: after 1 s, then 2 s more.
    tokio::time::advance(Duration::from_millis(1001)).await;
    assert_eq!(failures(&client, 40).await, 1);
    tokio::time::advance(Duration::from_millis(1001)).await;
    assert_eq!(failures(&client, 40).await, 0);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(failures(&client, 40).await, 1);
    serving.abort();
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_back_is_called_again() {
    let serving = serve("memory@avoidance-first").await;
    let client = client(["memory@avoidance-first", "memory@avoidance-second"]).await;
    assert_eq!(failures(&client, 4).await, 1);
    let second = serve("memory@avoidance-second").await;
    serving.abort();
    tokio::time::advance(Duration::from_millis(1001)).await;
    // Both are tried once: the first to find out that it is gone.
    assert!(failures(&client, 4).await <= 1);
    assert_eq!(failures(&client, 40).await, 0);
    second.abort();
}

#[tokio::test(start_paused = true)]
async fn without_another_server_the_one_there_is_is_tried_at_once() {
    let client = client(["memory@avoidance-none", "memory@avoidance-nobody"]).await;
    assert_eq!(failures(&client, 10).await, 10);
    let serving = serve("memory@avoidance-none").await;
    let other = serve("memory@avoidance-nobody").await;
    assert_eq!(failures(&client, 10).await, 0);
    serving.abort();
    other.abort();
}
