//! Bytes on their way to a socket.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf as _, Bytes};

use super::header::Header;

/// Bytes on their way to a socket: whole messages, in order.
///
/// Messages are encoded straight into one growing buffer, so that many small ones become one write.
/// A large payload that exists as [`Bytes`] is not copied: it rides as a segment of its own.
#[derive(Debug, Default)]
pub struct Output {
    /// What was closed off before the current `tail`.
    segments: VecDeque<Bytes>,
    tail: Vec<u8>,
    /// How much of `tail` has left already; only used while there are no segments.
    sent: usize,
    len: usize,
    /// How much room the next `tail` gets: as much as the ones before needed.
    usual: usize,
}

impl Output {
    /// Makes an empty one; allocates nothing.
    pub const fn new() -> Self {
        Self { segments: VecDeque::new(), tail: Vec::new(), sent: 0, len: 0, usual: 0 }
    }

    /// Counts the bytes that wait.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Tells whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends a message whose payload is at hand.
    ///
    /// The caller has checked the length: fields longer than `u32::MAX` do not exist on the wire.
    pub fn frame<'a>(
        &mut self,
        header: Header,
        path: &[u8],
        method: &[u8],
        metadata: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
        payload: &[u8],
    ) {
        let result = self.frame_with(header, path, method, metadata, |out| {
            out.extend_from_slice(payload);
            Ok::<_, std::convert::Infallible>(())
        });
        let Ok(_) = result;
    }

    /// Appends a message whose payload `write` encodes in place; gives the message's length.
    ///
    /// # Errors
    ///
    /// What `write` gives; the message is then taken back.
    pub fn frame_with<'a, E>(
        &mut self,
        header: Header,
        path: &[u8],
        method: &[u8],
        metadata: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<usize, E> {
        self.make_room();
        let mut unfinished = Unfinished::begin(&mut self.tail);
        let start = unfinished.start;
        let out = &mut *unfinished.out;
        out.extend_from_slice(&header.encode());
        out.extend_from_slice(&[0; 4]);
        put_field(out, path);
        put_field(out, method);
        let metadata_at = out.len();
        out.extend_from_slice(&[0; 4]);
        for (key, value) in metadata {
            put_field(out, key);
            put_field(out, value);
        }
        patch_length(out, metadata_at);
        let payload_at = out.len();
        out.extend_from_slice(&[0; 4]);
        write(out)?;
        patch_length(out, payload_at);
        patch_length(out, start + Header::LEN);
        let written = out.len() - start;
        unfinished.finished = true;
        drop(unfinished);
        self.len += written;
        Ok(written)
    }

    /// Takes the last `len` bytes back: a message that turned out to be too long.
    pub(crate) fn retract(&mut self, len: usize) {
        let keep = self.tail.len().saturating_sub(len);
        self.len -= self.tail.len() - keep;
        self.tail.truncate(keep);
    }

    /// Appends bytes that are a message already.
    pub fn raw(&mut self, header: Header, rest: &[u8]) {
        self.make_room();
        self.tail.extend_from_slice(&header.encode());
        self.tail.extend_from_slice(rest);
        self.len += Header::LEN + rest.len();
    }

    /// Appends a payload without copying it, and fills in the message's lengths.
    ///
    /// It ends a message that [`frame_with`](Self::frame_with) began with an empty payload.
    pub(crate) fn attach(&mut self, frame_len: usize, payload: Bytes) {
        let start = self.tail.len() - frame_len;
        let total = frame_len - Header::LEN - 4 + payload.len();
        put_length(&mut self.tail, start + Header::LEN, total);
        let payload_at = self.tail.len() - 4;
        put_length(&mut self.tail, payload_at, payload.len());
        self.len += payload.len();
        self.close_tail();
        self.segments.push_back(payload);
    }

    /// Copies everything that waits.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut all = Vec::with_capacity(self.len);
        for segment in &self.segments {
            all.extend_from_slice(segment);
        }
        all.extend_from_slice(self.tail.get(self.sent..).unwrap_or_default());
        all
    }

    /// Gives the next bytes, if all that waits is in one piece.
    pub(crate) fn contiguous(&self) -> Option<&[u8]> {
        if self.segments.is_empty() { self.tail.get(self.sent..) } else { None }
    }

    /// Fills `slices` with the next bytes; gives how many were filled.
    pub(crate) fn fill<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let tail = self.tail.get(self.sent..).unwrap_or_default();
        let waiting = self.segments.iter().map(|segment| &segment[..]).chain([tail]);
        let mut filled = 0;
        for (slice, bytes) in slices.iter_mut().zip(waiting.filter(|bytes| !bytes.is_empty())) {
            *slice = IoSlice::new(bytes);
            filled += 1;
        }
        filled
    }

    /// Forgets the next `count` bytes: they have left.
    pub(crate) fn consume(&mut self, mut count: usize) {
        self.len -= count;
        while let Some(first) = self.segments.front_mut() {
            if count < first.len() {
                first.advance(count);
                return;
            }
            count -= first.len();
            self.segments.pop_front();
        }
        self.sent += count;
        if self.sent == self.tail.len() {
            self.sent = 0;
            self.give_back();
        }
    }

    /// Begins a batch with as much room as the ones before needed.
    fn make_room(&mut self) {
        if self.len == 0 && self.tail.capacity() < self.usual {
            self.tail.reserve_exact(self.usual);
        }
    }

    /// Ends a batch: between batches nothing large is kept.
    fn give_back(&mut self) {
        let (len, capacity) = (self.tail.len(), self.tail.capacity());
        self.tail.clear();
        if capacity > KEEP {
            self.tail = Vec::new();
            let needed = if len > capacity / 4 { capacity } else { capacity / 2 };
            // A huge batch grows from its first message instead: doubled, that fits where all are alike.
            self.usual = if needed > LARGEST_START { 0 } else { needed };
        }
    }

    fn close_tail(&mut self) {
        // What comes between attached payloads is small.
        self.usual = 0;
        let mut tail = Bytes::from(std::mem::take(&mut self.tail));
        tail.advance(std::mem::take(&mut self.sent));
        if !tail.is_empty() {
            self.segments.push_back(tail);
        }
    }
}

/// A message that is being written: taken back unless it gets finished, also when the user's
/// `Serialize` panics.
struct Unfinished<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
    finished: bool,
}

impl<'a> Unfinished<'a> {
    fn begin(out: &'a mut Vec<u8>) -> Self {
        let start = out.len();
        Self { out, start, finished: false }
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if !self.finished {
            self.out.truncate(self.start);
        }
    }
}

fn put_field(out: &mut Vec<u8>, field: &[u8]) {
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(field);
    patch_length(out, at);
}

/// Writes the number of bytes after the four at `at` into those four.
fn patch_length(out: &mut [u8], at: usize) {
    let length = out.len() - at - 4;
    put_length(out, at, length);
}

fn put_length(out: &mut [u8], at: usize, length: usize) {
    // Callers keep messages within `Limits::message`, which is at most `u32::MAX`.
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    if let Some(place) = out.get_mut(at..at + 4) {
        place.copy_from_slice(&length.to_be_bytes());
    }
}

/// A buffer larger than this is given back once it is empty, in bytes.
const KEEP: usize = 2 << 10;
/// The most room that a batch begins with, in bytes.
const LARGEST_START: usize = 256 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::SerializeType;

    /// Written by Go rpcx 1.9.4.
    const GO_REQUEST: &[u8] = b"\x08\x00\x00\x30\0\0\0\0\0\0\0\x01\0\0\0\x1f\0\0\0\x05Arith\0\0\0\x03Mul\0\0\0\0\0\0\0\x07\x82\xa1A\x0a\xa1B\x14";

    #[test]
    fn writes_what_go_writes() {
        let mut output = Output::new();
        let header = Header::request(1, SerializeType::MSGPACK);
        output.frame(header, b"Arith", b"Mul", [], b"\x82\xa1A\x0a\xa1B\x14");
        assert_eq!(output.to_vec(), GO_REQUEST);
    }

    #[test]
    fn a_failed_message_leaves_nothing() {
        let mut output = Output::new();
        output.frame(Header::request(1, SerializeType::RAW), b"a", b"b", [], b"c");
        let before = output.to_vec();
        let header = Header::request(2, SerializeType::RAW);
        let result = output.frame_with(header, b"a", b"b", [], |out| {
            out.push(1);
            Err("no")
        });
        assert_eq!(result, Err("no"));
        assert_eq!(output.to_vec(), before);
        assert_eq!(output.len(), before.len());
    }

    #[test]
    fn an_attached_payload_reads_like_a_copied_one() {
        let payload = Bytes::from(vec![7; 100_000]);
        let header = Header::request(2, SerializeType::RAW);
        let (mut copied, mut attached) = (Output::new(), Output::new());
        copied.frame(header, b"Arith", b"Echo", [], &payload);
        let start = attached.frame_with(header, b"Arith", b"Echo", [], |_| Ok::<_, ()>(()));
        attached.attach(start.unwrap(), payload);
        assert_eq!(attached.to_vec(), copied.to_vec());
        assert_eq!(attached.len(), copied.len());
    }

    fn send_batch(output: &mut Output, payload: usize) {
        output.frame(Header::request(1, SerializeType::RAW), b"a", b"b", [], &vec![7; payload]);
        output.consume(output.len());
    }

    #[test]
    fn a_batch_begins_with_the_room_of_the_ones_before() {
        let mut output = Output::new();
        send_batch(&mut output, 50 << 10);
        assert_eq!(output.tail.capacity(), 0);
        output.frame(Header::request(1, SerializeType::RAW), b"a", b"b", [], b"c");
        assert!(output.tail.capacity() >= 50 << 10);
    }

    #[test]
    fn room_that_is_not_used_shrinks_by_half_each_time() {
        let mut output = Output::new();
        send_batch(&mut output, 200 << 10);
        assert!(output.usual >= 200 << 10);
        while output.usual > KEEP {
            let before = output.usual;
            send_batch(&mut output, 1);
            assert_eq!(output.usual, before / 2);
        }
        send_batch(&mut output, 1);
        assert!((1..=KEEP).contains(&output.tail.capacity()));
    }

    #[test]
    fn a_huge_batch_reserves_nothing_for_the_next() {
        let mut output = Output::new();
        send_batch(&mut output, 1 << 20);
        assert_eq!((output.tail.capacity(), output.usual), (0, 0));
    }

    #[test]
    fn attached_payloads_take_no_room_with_them() {
        let mut output = Output::new();
        send_batch(&mut output, 50 << 10);
        for _ in 0..2 {
            let header = Header::request(1, SerializeType::RAW);
            let len = output.frame_with(header, b"a", b"b", [], |_| Ok::<_, ()>(())).unwrap();
            output.attach(len, Bytes::from_static(b"payload"));
            assert_eq!(output.usual, 0);
        }
    }

    #[test]
    fn consuming_byte_by_byte_gives_every_byte_once() {
        let mut output = Output::new();
        let header = Header::request(2, SerializeType::RAW);
        let start = output.frame_with(header, b"A", b"B", [], |_| Ok::<_, ()>(())).unwrap();
        output.attach(start, Bytes::from_static(b"payload"));
        output.frame(header, b"C", b"D", [], b"more");
        let expected = output.to_vec();
        let mut seen = Vec::new();
        while !output.is_empty() {
            let mut slices = [IoSlice::new(&[]); 3];
            let filled = output.fill(&mut slices);
            assert!(filled > 0);
            seen.push(slices[0][0]);
            output.consume(1);
        }
        assert_eq!(seen, expected);
    }
}
