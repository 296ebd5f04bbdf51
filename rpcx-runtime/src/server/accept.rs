//! The loop that takes connections in.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::announce::Announced;
use super::bound::Parts;
use super::connection::Connection;
#[cfg(feature = "tls")]
use super::handshake::Handshakes;
use super::open::Open;
use super::stop::{self, DrainReport, Lifetime};
use crate::transport::{Duplex, Listener};

/// Serves until `stop` is ready, then drains within the server's shutdown timeout.
pub(super) async fn run(
    mut listener: Listener,
    parts: Arc<Parts>,
    announced: Announced,
    stop: impl Future<Output = ()>,
) -> DrainReport {
    let lifetime = Lifetime::default();
    // However this future ends, one-way calls do not outlive the server.
    let _end = lifetime.end.clone().drop_guard();
    let mut connections = JoinSet::new();
    let stopping = {
        let accepting = accept(&mut listener, &parts, &lifetime, &mut connections);
        tokio::select! {
            // A client that came before the end is served.
            biased;
            never = accepting => match never {},
            // However many come, and so use up what this task may do in one go.
            stopping = tokio::task::unconstrained(stop::leave(stop, announced, &parts)) => stopping,
        }
    };
    // Clients that are told to leave may come back at once, to whoever has the address then.
    drop(listener);
    stop::drain(stopping, &lifetime, connections).await
}

async fn accept(
    listener: &mut Listener,
    parts: &Arc<Parts>,
    lifetime: &Lifetime,
    connections: &mut JoinSet<()>,
) -> Infallible {
    let room = Arc::new(Semaphore::new(parts.settings.connections()));
    #[cfg(feature = "tls")]
    let handshakes = parts.settings.tls.clone().map(Handshakes::new);
    loop {
        while connections.try_join_next().is_some() {}
        let place = Arc::clone(&room).acquire_owned().await.expect("nobody closes the semaphore");
        let duplex = next(listener, connections).await;
        let Some(open) = Open::admit(duplex.peer, parts) else { continue };
        parts.load.add_connection();
        let info = open.info().clone();
        #[cfg(feature = "tls")]
        if let Some(handshakes) = &handshakes {
            let serving = handshakes.serve(duplex, info, Arc::clone(parts), lifetime.clone());
            connections.spawn(async move {
                serving.await;
                drop(open);
                drop(place);
            });
            continue;
        }
        let connection = Connection::new(duplex, info, Arc::clone(parts), lifetime.clone());
        connections.spawn(async move {
            connection.await;
            drop(open);
            drop(place);
        });
    }
}

/// Waits for a connection, however often the system refuses one for want of resources.
async fn next(listener: &mut Listener, connections: &mut JoinSet<()>) -> Duplex {
    let mut pause = FIRST_PAUSE;
    let mut lost = 0;
    loop {
        match listener.accept().await {
            Ok(duplex) => return duplex,
            // A broken listener of the program's own may say this for ever, and never wait.
            Err(error) if belongs_to_one_client(&error) && lost < LOST_IN_A_ROW => {
                lost += 1;
                tokio::task::yield_now().await;
            }
            Err(error) => {
                if pause == FIRST_PAUSE {
                    tracing::warn!(%error, "no connection can be accepted for now");
                }
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    // A client that leaves gives back what was wanting.
                    Some(_) = connections.join_next() => tokio::task::yield_now().await,
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

fn belongs_to_one_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, InvalidInput, NotConnected};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | InvalidInput | NotConnected)
}

/// As Go rpcx 1.9.4: 5 ms, doubled up to a second.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// So many clients in a row may be lost before they are accepted; then it is the listener's fault.
const LOST_IN_A_ROW: u32 = 100;
