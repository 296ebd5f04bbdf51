//! The task that asks an idle server for a sign of life.

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use super::connection::{Begun, Connection, Kind, Loss, Ticket};
use crate::error::Error;
use crate::protocol::{Header, Peer, SerializeType};

/// How often a server is asked for a sign of life, and how long it may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heartbeat {
    pub(super) interval: Duration,
    pub(super) wait: Duration,
}

/// Which servers are asked.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Heartbeats {
    /// Those that have shown that they are peers of this crate: Go rpcx's clients do not ask either,
    /// unless they are told to.
    #[default]
    Peers,
    /// None.
    Off,
    /// All, in this way.
    All(Heartbeat),
}

impl Heartbeats {
    /// Gives how a server is asked from the beginning.
    pub(super) fn at_once(self) -> Option<Heartbeat> {
        match self {
            Self::All(heartbeat) => Some(heartbeat),
            Self::Peers | Self::Off => None,
        }
    }

    /// Gives how a server is asked once it has shown that it is a peer.
    pub(super) fn of_peer(self) -> Option<Heartbeat> {
        match self {
            Self::Peers => Some(Heartbeat { interval: INTERVAL, wait: WAIT }),
            Self::Off | Self::All(_) => None,
        }
    }
}

/// Asks again and again; ends the connection when an answer does not come in time.
pub(super) async fn run(connection: Arc<Connection>, heartbeat: Heartbeat) {
    let mut number = 0i64;
    loop {
        tokio::time::sleep(heartbeat.interval).await;
        number = number.wrapping_add(1);
        match tokio::time::timeout(heartbeat.wait, ask(&connection, number)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return,
            Err(_) => {
                tracing::warn!(address = %connection.address(), "no answer to a heartbeat");
                return connection.lose(Loss::Closed);
            }
        }
    }
}

pub(super) async fn ask(connection: &Arc<Connection>, number: i64) -> Result<(), Error> {
    let mut ticket = None;
    std::future::poll_fn(|cx| {
        if let Some(waiting) = &mut ticket {
            let waiting: &mut Ticket = waiting;
            return waiting.poll(cx).map_ok(|_| ());
        }
        let begun = connection.begin(connection.turn(), cx, Kind::Heartbeat, |seq, out| {
            let header = Header::request(seq, SerializeType::MSGPACK);
            let header = header.with_heartbeat().with_peer(Peer::Client);
            let mut payload = [INT64; 9];
            payload[1..].copy_from_slice(&number.to_be_bytes());
            out.frame(header, b"", b"", [], &payload);
            Ok(())
        })?;
        match begun {
            Begun::Waiting(waiting) => {
                ticket = Some(waiting);
                Poll::Pending
            }
            // Nobody is left to ask.
            Begun::Sent | Begun::Full(_) | Begun::Closed => Poll::Ready(Ok(())),
        }
    })
    .await
}

/// `MessagePack`'s mark of a full-width signed integer, which Go's clients send here.
const INT64: u8 = 0xd3;

/// A silent peer is found within the sum of the two.
const INTERVAL: Duration = Duration::from_secs(10);
const WAIT: Duration = Duration::from_secs(5);
