//! Measures how long servers take to answer, for selectors that want to know.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::watch;
use tokio::time::Instant;

use super::cluster::List;
use super::endpoint::Endpoint;
use super::heartbeat;

/// Asks every server for a sign of life, again and again, and at once when the servers change.
pub(super) async fn measure<T: Send + Sync>(
    list: Arc<ArcSwap<List>>,
    mut news: Option<watch::Receiver<T>>,
) {
    loop {
        let servers = list.load().endpoints().to_vec();
        let mut asked: FuturesUnordered<_> = servers.iter().map(ask).collect();
        while asked.next().await.is_some() {}
        drop(asked);
        drop(servers);
        let change = async {
            match &mut news {
                Some(news) => news.changed().await.is_ok(),
                None => std::future::pending().await,
            }
        };
        if let Ok(false) = tokio::time::timeout(INTERVAL, change).await {
            // The registry will say no more.
            news = None;
        }
    }
}

/// Asks one server, over the connection that calls use.
async fn ask(server: &Arc<Endpoint>) {
    let lane = server.next_lane();
    let open = server.connection(lane).clone().filter(|connection| !connection.is_closed());
    let connection = match open {
        Some(connection) => Ok(connection),
        None => Arc::clone(server).dial(lane).await,
    };
    let Ok(connection) = connection else { return server.stats().measured(None) };
    let begun = Instant::now();
    let answer = tokio::time::timeout(WAIT, heartbeat::ask(&connection, 0)).await;
    let answered = matches!(answer, Ok(Ok(())));
    server.stats().measured(answered.then(|| begun.elapsed()));
}

/// How often servers are asked.
const INTERVAL: Duration = Duration::from_secs(10);
/// How long they may take, as in Go rpcx 1.9.4.
const WAIT: Duration = Duration::from_secs(3);
