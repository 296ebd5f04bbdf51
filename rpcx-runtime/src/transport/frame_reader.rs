//! Messages out of a byte stream.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use tokio::time::{Instant, Sleep};
use tokio_util::io::poll_read_buf;

use super::ReadHalf;
use crate::protocol::{DecodeError, Decoded, Header, Limits, Message};

/// Takes messages out of a byte stream.
///
/// The buffer grows with the bytes that arrive, never with a length that is only claimed, and an
/// idle stream holds none, unless it is told to [keep](FrameReader::keep_buffer) it. Messages are slices of the
/// buffer, and keep it for as long as they live: small ones keep no large one.
pub(crate) struct FrameReader {
    reader: ReadHalf,
    buffer: BytesMut,
    /// At least so much does `buffer` share with the messages that were taken out of it.
    block: usize,
    /// Length of the message whose beginning is in `buffer`, as far as known.
    needed: usize,
    /// The largest message that came whole: the peer has shown that it sends such.
    proven: usize,
    /// Bytes to come that belong to a message which nobody wants.
    unwanted: usize,
    keeps_buffer: bool,
    stall: Stall,
}

/// What [`FrameReader::poll_fill`] found.
#[derive(Debug, PartialEq)]
pub(crate) enum Fill {
    /// More bytes are in the buffer.
    Bytes,
    /// The other side sends no more.
    End,
}

impl FrameReader {
    pub(crate) fn new(reader: ReadHalf) -> Self {
        let (buffer, stall) = (BytesMut::new(), Stall::default());
        Self {
            reader,
            buffer,
            block: 0,
            needed: 0,
            proven: 0,
            unwanted: 0,
            keeps_buffer: false,
            stall,
        }
    }

    /// Takes the next message out of the bytes that were read already.
    pub(crate) fn next(&mut self, limits: &Limits) -> Result<Option<Message>, DecodeError> {
        if self.buffer.is_empty() {
            return Ok(None);
        }
        match Message::decode(&mut self.buffer, limits)? {
            Decoded::Message(message) => {
                self.needed = 0;
                self.stall.end_message();
                let size = message.as_bytes().len();
                self.proven = self.proven.max(size).min(PROVEN_AT_MOST);
                let is_alien = self.block > LARGE_BLOCK && size < self.block / 4;
                Ok(Some(if is_alien { message.copied() } else { message }))
            }
            Decoded::Incomplete(needed) => {
                self.needed = needed;
                Ok(None)
            }
        }
    }

    /// Tells whether a message ever came whole.
    pub(crate) fn has_given(&self) -> bool {
        self.proven > 0
    }

    /// Tells whether nothing was read that was not taken.
    pub(crate) fn is_empty(&self) -> bool {
        self.buffer.is_empty() && self.unwanted == 0
    }

    /// Gives the bytes that were read and not taken.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// Counts the bytes that were read and not taken.
    pub(crate) fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Notes that it is not the peer's fault that nothing more is read for now.
    pub(crate) fn pause(&mut self) {
        self.stall.end_message();
    }

    /// Gives the message up whose beginning was read, and lets what is still to come of it pass; gives its
    /// header, if that has come.
    pub(crate) fn skip_message(&mut self) -> Option<Header> {
        let header = Header::decode(*self.buffer.first_chunk()?).ok()?;
        // Else the length has not come either.
        let rest =
            self.needed.checked_sub(self.buffer.len()).filter(|_| self.buffer.len() >= PREFIX)?;
        self.discard();
        self.unwanted = rest;
        self.needed = 0;
        Some(header)
    }

    /// Sets whether an idle stream holds its buffer. While messages that came in it are in use it is there
    /// anyway: then the next ones are to come into what is left of it, not each into a buffer of its own.
    pub(crate) fn keep_buffer(&mut self, keep: bool) {
        self.keeps_buffer = keep;
    }

    /// Forgets what was read and not taken: it cannot be understood.
    pub(crate) fn discard(&mut self) {
        self.buffer.clear();
        self.release(0);
    }

    /// Reads once.
    pub(crate) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Fill>> {
        self.make_room();
        match poll_read_buf(Pin::new(&mut self.reader), cx, &mut self.buffer)? {
            Poll::Ready(0) => Poll::Ready(Ok(Fill::End)),
            Poll::Ready(read) => {
                self.stall.received += read;
                self.drop_unwanted();
                Poll::Ready(Ok(Fill::Bytes))
            }
            Poll::Pending if self.is_empty() => {
                // An idle connection costs no buffer.
                if !self.keeps_buffer {
                    self.release(0);
                }
                self.stall.end_message();
                Poll::Pending
            }
            Poll::Pending => self.stall.poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into())),
        }
    }

    fn drop_unwanted(&mut self) {
        if self.unwanted == 0 {
            return;
        }
        let now = self.unwanted.min(self.buffer.len());
        self.buffer.advance(now);
        self.unwanted -= now;
        if self.unwanted == 0 {
            self.stall.end_message();
        }
    }

    /// Takes a new buffer, with room for so much and with what was read and not taken.
    fn release(&mut self, room: usize) {
        let mut buffer = BytesMut::with_capacity(room);
        buffer.extend_from_slice(&self.buffer);
        self.buffer = buffer;
        self.block = 0;
    }

    fn make_room(&mut self) {
        if self.block > LARGE_BLOCK && self.buffer.len().max(self.needed) <= READ {
            // What comes next is small, as far as known.
            self.release(READ + self.buffer.len());
        }
        self.reserve();
        self.block = self.block.max(self.buffer.capacity());
    }

    fn reserve(&mut self) {
        let have = self.buffer.len();
        let missing = self.needed.saturating_sub(have);
        if missing <= SMALLEST_READ {
            if self.buffer.capacity() - have < SMALLEST_READ {
                self.buffer.reserve(READ);
            }
            return;
        }
        // As much again as has arrived, or as this peer has sent before, but no claim beyond.
        let trusted = have.max(self.proven).max(FIRST_GROWTH);
        let wanted = missing.min(trusted);
        if self.buffer.capacity() - have < wanted.min(missing) {
            self.buffer.reserve(wanted);
        }
    }
}

/// Notices a peer that begins a message and does not go on with it.
///
/// The timer is set once and then only looked at when it fires: a busy stream that often stops in
/// the middle of a message pays nothing for it.
#[derive(Default)]
struct Stall {
    /// When the window began; `None` between messages.
    since: Option<Instant>,
    /// Bytes that came in the window.
    received: usize,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Stall {
    fn end_message(&mut self) {
        self.since = None;
    }

    /// Is ready if too little came in a whole window.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let now = Instant::now();
        let since = *self.since.get_or_insert_with(|| {
            self.received = 0;
            now
        });
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(WINDOW)));
        let mut window_end = since + WINDOW;
        while timer.as_mut().poll(cx).is_ready() {
            if now >= window_end {
                if self.received < LEAST {
                    return Poll::Ready(());
                }
                self.since = Some(now);
                self.received = 0;
                window_end = now + WINDOW;
            }
            timer.as_mut().reset(window_end);
        }
        Poll::Pending
    }
}

/// How long a peer may take for [`LEAST`] bytes of a message that it has begun.
const WINDOW: Duration = Duration::from_secs(10);
/// 1 KiB a second.
const LEAST: usize = 10 << 10;
/// The header and the length of the rest.
const PREFIX: usize = Header::LEN + 4;
/// How much an ordinary read asks for, in bytes.
const READ: usize = 16 << 10;
/// A buffer larger than this was made for a large message.
const LARGE_BLOCK: usize = 2 * READ;
/// Less room than this is not worth a read.
const SMALLEST_READ: usize = 4 << 10;
/// What a claimed length may reserve before any of it has come.
const FIRST_GROWTH: usize = 64 << 10;
/// Past sizes beyond this are no reason to reserve at once.
const PROVEN_AT_MOST: usize = 4 << 20;
