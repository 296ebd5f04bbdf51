//! Where messages begin and end in a stream of bytes.

use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Takes messages out of a stream by their lengths, and looks at nothing else in them.
#[derive(Debug)]
pub(super) struct Messages<R> {
    from: R,
    buffer: BytesMut,
    /// What comes is no message, or too long for one: it is no longer looked at.
    opaque: bool,
}

/// What came.
#[derive(Debug)]
pub(super) enum Piece {
    /// A whole message.
    Message(BytesMut),
    /// Bytes that are none.
    Bytes(BytesMut),
    /// The sender has ended.
    End,
}

impl<R: AsyncRead + Unpin> Messages<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, buffer: BytesMut::new(), opaque: false }
    }

    /// Waits for the next piece.
    ///
    /// # Cancel safety
    ///
    /// What was read stays.
    pub(super) async fn next(&mut self) -> io::Result<Piece> {
        loop {
            if !self.buffer.is_empty() && (self.opaque || !self.begins_message()) {
                self.opaque = true;
                return Ok(Piece::Bytes(self.buffer.split()));
            }
            if let Some(length) = self.length().filter(|length| *length <= self.buffer.len()) {
                return Ok(Piece::Message(self.buffer.split_to(length)));
            }
            self.buffer.reserve(READ);
            if self.from.read_buf(&mut self.buffer).await? == 0 {
                if self.buffer.is_empty() {
                    return Ok(Piece::End);
                }
                return Ok(Piece::Bytes(self.buffer.split()));
            }
        }
    }

    /// Reads what comes and throws it away, until the sender ends.
    pub(super) async fn swallow(&mut self) -> io::Result<()> {
        loop {
            self.buffer.clear();
            self.buffer.reserve(READ);
            if self.from.read_buf(&mut self.buffer).await? == 0 {
                return Ok(());
            }
        }
    }

    fn begins_message(&self) -> bool {
        self.buffer.first() == Some(&MAGIC) && self.length().is_none_or(|length| length <= LONGEST)
    }

    fn length(&self) -> Option<usize> {
        let length = self.buffer.get(HEADER..)?.first_chunk::<4>()?;
        Some(HEADER + 4 + u32::from_be_bytes(*length) as usize)
    }
}

const MAGIC: u8 = 8;
const HEADER: usize = 12;
/// Where the sequence number stands.
pub(super) const SEQ: std::ops::Range<usize> = 4..12;
const READ: usize = 16 << 10;
/// Longer messages than this are not looked at: the proxy keeps no more than that of one side.
const LONGEST: usize = 20 << 20;
