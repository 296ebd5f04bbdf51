//! What comes before a connection's first message where the server speaks TLS.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::bound::Parts;
use super::connection::Connection;
use super::interceptor::ConnectionInfo;
use super::stop::Lifetime;
use crate::tls::{ServerTls, of_client};
use crate::transport::{Duplex, tls};

/// Does the handshakes of a server.
pub(super) struct Handshakes {
    shared: Arc<Shared>,
}

struct Shared {
    tls: ServerTls,
    /// When a failure was last told at a level that people look at: anyone can cause as many as they like.
    told: Mutex<Option<Instant>>,
}

impl Handshakes {
    pub(super) fn new(tls: ServerTls) -> Self {
        Self { shared: Arc::new(Shared { tls, told: Mutex::default() }) }
    }

    /// Does the handshake, and then serves the connection. A server that stops waits for a handshake no longer
    /// than for further calls.
    pub(super) fn serve(
        &self,
        duplex: Duplex,
        info: ConnectionInfo,
        parts: Arc<Parts>,
        lifetime: Lifetime,
    ) -> impl Future<Output = ()> + use<> {
        let shared = Arc::clone(&self.shared);
        async move {
            let stopping = async {
                lifetime.drain.cancelled().await;
                tokio::time::sleep(GRACE).await;
            };
            let accepted = tokio::select! {
                biased;
                accepted = tls::accept(duplex, &shared.tls) => accepted,
                () = stopping => return,
            };
            match accepted {
                Ok((duplex, identity)) => {
                    let info = info.with_identity(identity);
                    Connection::new(duplex, info, parts, lifetime).await;
                }
                Err(error) => shared.tell(info.peer(), &error),
            }
        }
    }
}

impl Shared {
    fn tell(&self, peer: Option<SocketAddr>, error: &io::Error) {
        let reason = of_client(error);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = told.is_none_or(|last| last.elapsed() >= SILENCE);
        if is_news {
            *told = Some(Instant::now());
        }
        drop(told);
        if is_news {
            tracing::warn!(?peer, %reason, "no TLS connection with a client");
        } else {
            tracing::debug!(?peer, %reason, "no TLS connection with a client");
        }
    }
}

/// How long a handshake may go on once the server stops.
const GRACE: Duration = Duration::from_millis(500);
/// How long failures are not told again.
const SILENCE: Duration = Duration::from_secs(10);
