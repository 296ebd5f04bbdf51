//! Output to a socket.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite as _;

use super::WriteHalf;
use crate::protocol::Output;

/// Writes what waits in `output` until it is empty or the socket takes no more.
///
/// What the socket took is gone from `output`, also when this is pending or fails. Pending with nothing left in
/// `output` means that the socket keeps some of it in a buffer of its own, as one with TLS does: then this is to
/// be called again, with or without more.
pub(crate) fn poll_write_all(
    writer: &mut WriteHalf,
    output: &mut Output,
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    while !output.is_empty() {
        let written = match output.contiguous() {
            Some(bytes) => ready!(Pin::new(&mut *writer).poll_write(cx, bytes))?,
            None => {
                let mut slices = [IoSlice::new(&[]); SLICES];
                let filled = output.fill(&mut slices);
                let slices = slices.get(..filled).unwrap_or_default();
                ready!(Pin::new(&mut *writer).poll_write_vectored(cx, slices))?
            }
        };
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        output.consume(written);
    }
    Pin::new(writer).poll_flush(cx)
}

/// Pieces in one vectored write.
const SLICES: usize = 64;
