//! The task that asks an idle server for a sign of life.

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use super::connection::{Begun, Connection, Kind, Loss, Ticket};
use crate::error::Error;
use crate::protocol::{Header, SerializeType};

/// How often a server is asked for a sign of life, and how long it may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heartbeat {
    pub(super) interval: Duration,
    pub(super) wait: Duration,
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

async fn ask(connection: &Arc<Connection>, number: i64) -> Result<(), Error> {
    let mut ticket = None;
    std::future::poll_fn(|cx| {
        if let Some(waiting) = &mut ticket {
            let waiting: &mut Ticket = waiting;
            return waiting.poll(cx).map_ok(|_| ());
        }
        let begun = connection.begin(connection.turn(), cx, Kind::Heartbeat, |seq, out| {
            let header = Header::request(seq, SerializeType::MSGPACK).with_heartbeat();
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
