//! What leaves on a connection.

use std::io;
use std::task::{Context, Poll};

use super::link::Link;
use super::patience::WriteStall;
use crate::protocol::Output;
use crate::transport::{WriteHalf, poll_write_all};

/// Writes to the client what waits at the link, a batch at a time.
pub(super) struct Sending {
    writer: WriteHalf,
    batch: Output,
    /// The socket may keep some of what was written in a buffer of its own.
    flushing: bool,
    stall: WriteStall,
}

impl Sending {
    pub(super) fn new(writer: WriteHalf) -> Self {
        Self { writer, batch: Output::new(), flushing: false, stall: WriteStall::default() }
    }

    /// Sends what is ready; pending if the client does not take it.
    pub(super) fn poll(&mut self, link: &Link, cx: &mut Context<'_>) -> io::Result<Poll<()>> {
        loop {
            if self.batch.is_empty() && !self.flushing {
                link.take_output(&mut self.batch);
                if self.batch.is_empty() {
                    self.stall.end();
                    return Ok(Poll::Ready(()));
                }
            }
            let before = self.batch.len();
            self.flushing = poll_write_all(&mut self.writer, &mut self.batch, cx)?.is_pending();
            if self.flushing {
                self.stall.poll(self.batch.len() < before, cx)?;
                return Ok(Poll::Pending);
            }
        }
    }

    /// Counts the bytes that the socket has not taken.
    pub(super) fn len(&self) -> usize {
        self.batch.len()
    }
}
