//! The task that writes what callers queue.

use std::future::Future as _;
use std::io;
use std::pin::pin;
use std::time::Duration;

use tokio::time::Instant;

use super::connection::{Connection, Guard, Loss};
use crate::protocol::Output;
use crate::transport::{WriteHalf, poll_write_all};

/// Writes whenever callers have queued messages, until the connection ends, and ends it however the
/// task itself ends.
pub(super) async fn run(guard: Guard) {
    let connection = &guard.0;
    let mut batch = Output::new();
    loop {
        connection.queued.notified().await;
        let Some(mut socket) = connection.state().socket.take() else { return };
        // The caller that woke this task may have left something in a buffer of the socket's own.
        let mut flushing = true;
        loop {
            // One turn for the callers that are about to queue: more messages share a write.
            tokio::task::yield_now().await;
            let end = {
                let mut state = connection.state();
                let end = state.take_output(&mut batch);
                if batch.is_empty() && !flushing {
                    state.writing = false;
                    if !state.is_closed() {
                        state.socket = Some(socket);
                    }
                    break;
                }
                end
            };
            flushing = false;
            match write(connection, &mut socket, &mut batch, end).await {
                Ok(()) => connection.sent(end),
                Err(error) => {
                    tracing::debug!(address = %connection.address(), %error, "writing failed");
                    connection.state().not_given(end, batch.len());
                    return connection.lose(Loss::Closed);
                }
            }
        }
    }
}

/// Writes `batch`, the bytes up to `end`; the connection knows at any time how many may have left.
async fn write(
    connection: &Connection,
    socket: &mut WriteHalf,
    batch: &mut Output,
    end: u64,
) -> io::Result<()> {
    let mut stall = pin!(tokio::time::sleep(STALL));
    std::future::poll_fn(|cx| {
        let before = batch.len();
        connection.state().may_be_given(end);
        let written = poll_write_all(socket, batch, cx);
        if written.is_ready() {
            return written;
        }
        connection.state().not_given(end, batch.len());
        if batch.len() < before {
            stall.as_mut().reset(Instant::now() + STALL);
        }
        stall.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    })
    .await
}

/// How long the socket may refuse to take anything before the connection counts as lost.
const STALL: Duration = Duration::from_secs(20);
