//! What a server logs of handshakes that fail: enough to find the cause, and no flood.

use std::time::Duration;

use rpcx::Server;
use tracing::subscriber::NoSubscriber;

use crate::trace_log::{Log, lines};
use crate::world::{Clerk, Running, World, memory_address, refusal};

/// Counts the lines about handshakes at a level.
fn told(level: &str) -> usize {
    let reason = "no TLS connection with a client peer=None reason=the client shows no certificate";
    lines().iter().filter(|line| line.contains(level) && line.contains(reason)).count()
}

#[tokio::test(start_paused = true)]
async fn failures_are_told_once_in_ten_seconds_at_a_level_that_people_look_at() {
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .with_writer(|| Log)
        .finish();
    // While there is only one in the process, an event that another test's thread is the first to meet counts as
    // unwanted for ever: that thread has none.
    let _other = tracing::Dispatch::new(NoSubscriber::new());
    let _guard = tracing::subscriber::set_default(subscriber);
    let world = World::new();
    let server = Server::new().add(Clerk::service()).tls(world.mutual_server());
    let running = Running::at(&memory_address(), server).await;
    let nobody = world.client().server_name("localhost").unwrap();
    for _ in 0..5 {
        refusal(&running.address, nobody.clone()).await;
    }
    assert_eq!((told("WARN"), told("DEBUG")), (1, 4));
    tokio::time::sleep(Duration::from_secs(10)).await;
    for _ in 0..5 {
        refusal(&running.address, nobody.clone()).await;
    }
    assert_eq!((told("WARN"), told("DEBUG")), (2, 8));
}
