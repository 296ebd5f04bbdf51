//! One message, as it stands in the bytes that were read.

use std::fmt;
use std::ops::Range;

use bytes::{Buf as _, Bytes, BytesMut};

use super::header::{Header, MAGIC};
use super::limits::Limits;
use super::serialize_type::SerializeType;
use crate::metadata::Metadata;

/// One message, checked, as it stands in the bytes that were read.
///
/// Names, metadata and payload are slices of one buffer: a message costs no copy. Names are bytes;
/// nothing here asks for UTF-8.
#[derive(Clone)]
pub struct Message {
    header: Header,
    frame: Bytes,
    path_end: usize,
    method_end: usize,
    metadata_end: usize,
}

/// What [`Message::decode`] found at the start of a buffer.
#[derive(Debug)]
pub enum Decoded {
    /// A whole message, now taken out of the buffer.
    Message(Message),
    /// The beginning of one: it will be whole when the buffer holds this many bytes.
    Incomplete(usize),
}

impl Message {
    /// Takes the first message out of `buffer`.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] as soon as the bytes cannot become a message within the limits. Framing is
    /// lost then: the connection has to end.
    pub fn decode(buffer: &mut BytesMut, limits: &Limits) -> Result<Decoded, DecodeError> {
        let Some((prefix, body)) = buffer.split_first_chunk::<PREFIX>() else {
            return match buffer.first() {
                Some(&magic) if magic != MAGIC => Err(DecodeError::BadMagic(magic)),
                _ => Ok(Decoded::Incomplete(PREFIX)),
            };
        };
        let [header @ .., a, b, c, d] = *prefix;
        let header = Header::decode(header)?;
        let total = u32::from_be_bytes([a, b, c, d]) as usize;
        if total > limits.message() {
            return Err(DecodeError::TooLong { size: total, limit: limits.message() });
        }
        if total < SMALLEST_BODY {
            return Err(DecodeError::Lengths);
        }
        let Some(body) = body.get(..total) else {
            return Ok(Decoded::Incomplete(PREFIX + total));
        };
        let ends = Ends::read(body, limits)?;
        Ok(Decoded::Message(Self {
            header,
            frame: buffer.split_to(PREFIX + total).freeze(),
            path_end: ends.path,
            method_end: ends.method,
            metadata_end: ends.metadata,
        }))
    }

    /// Makes a message without names, metadata or payload.
    pub(crate) fn bare(header: Header) -> Self {
        Self { header, ..Self::default() }
    }

    /// Gives the header.
    pub fn header(&self) -> Header {
        self.header
    }

    /// Gives the service path, the name of the service.
    pub fn service_path(&self) -> &[u8] {
        self.slice(PREFIX + LENGTH..self.path_end)
    }

    /// Gives the name of the method.
    pub fn service_method(&self) -> &[u8] {
        self.slice(self.path_end + LENGTH..self.method_end)
    }

    /// Gives the metadata pairs in the order of the wire, duplicates included.
    pub fn pairs(&self) -> Pairs<'_> {
        Pairs { rest: self.slice(self.method_end + LENGTH..self.metadata_end) }
    }

    /// Gives the value of a metadata key; of duplicates the last counts, as in Go.
    pub fn metadata_value(&self, key: &str) -> Option<&[u8]> {
        self.pairs().filter(|(known, _)| *known == key.as_bytes()).last().map(|(_, value)| value)
    }

    /// Reads the metadata as text; bytes that are not UTF-8 become U+FFFD.
    pub fn metadata(&self) -> Metadata {
        self.pairs()
            .map(|(key, value)| (String::from_utf8_lossy(key), String::from_utf8_lossy(value)))
            .collect()
    }

    /// Gives the payload as it came: compressed if the header says so.
    pub fn payload(&self) -> Bytes {
        self.frame.slice(self.metadata_end + LENGTH..)
    }

    /// Gives the message's bytes, from the magic number to the end of the payload.
    pub fn as_bytes(&self) -> &[u8] {
        &self.frame
    }

    /// Copies the message out of the buffer that it came in, so that keeping it does not keep the others there.
    #[must_use]
    pub(crate) fn copied(self) -> Self {
        Self { frame: Bytes::copy_from_slice(&self.frame), ..self }
    }

    /// Copies names and metadata out if the message is large, so that keeping them does not keep
    /// the payload.
    #[must_use]
    pub(crate) fn without_large_payload(self) -> Self {
        let head = self.metadata_end + LENGTH;
        if self.frame.len() - head < LARGE {
            return self;
        }
        let frame = Bytes::copy_from_slice(self.frame.get(..head).unwrap_or_default());
        Self { frame, ..self }
    }

    fn slice(&self, range: Range<usize>) -> &[u8] {
        self.frame.get(range).unwrap_or_default()
    }
}

impl Default for Message {
    /// A message without names, metadata or payload.
    fn default() -> Self {
        Self {
            header: Header::request(0, SerializeType::RAW),
            frame: Bytes::from_static(&EMPTY),
            path_end: PREFIX + LENGTH,
            method_end: PREFIX + 2 * LENGTH,
            metadata_end: PREFIX + 3 * LENGTH,
        }
    }
}

impl fmt::Debug for Message {
    /// Shows header and names, never metadata or payload: both may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("header", &self.header)
            .field("service_path", &String::from_utf8_lossy(self.service_path()))
            .field("service_method", &String::from_utf8_lossy(self.service_method()))
            .finish_non_exhaustive()
    }
}

/// Where the fields of a body end, counted from the start of the frame.
struct Ends {
    path: usize,
    method: usize,
    metadata: usize,
}

impl Ends {
    fn read(body: &[u8], limits: &Limits) -> Result<Self, DecodeError> {
        let mut rest = body;
        let path = field(&mut rest)?;
        let method = field(&mut rest)?;
        let metadata = field(&mut rest)?;
        let payload = field(&mut rest)?;
        if !rest.is_empty() {
            return Err(DecodeError::Lengths);
        }
        if path.len() > limits.name() || method.len() > limits.name() {
            let size = path.len().max(method.len());
            return Err(DecodeError::NameTooLong { size, limit: limits.name() });
        }
        check_metadata(metadata, limits)?;
        let path_end = PREFIX + LENGTH + path.len();
        let method_end = path_end + LENGTH + method.len();
        let metadata_end = method_end + LENGTH + metadata.len();
        debug_assert_eq!(metadata_end + LENGTH + payload.len(), PREFIX + body.len());
        Ok(Self { path: path_end, method: method_end, metadata: metadata_end })
    }
}

fn check_metadata(block: &[u8], limits: &Limits) -> Result<(), DecodeError> {
    let mut rest = block;
    let mut pairs = 0;
    while !rest.is_empty() {
        let key = field(&mut rest)?;
        field(&mut rest)?;
        pairs += 1;
        if pairs > limits.metadata_pairs() {
            return Err(DecodeError::TooManyPairs(limits.metadata_pairs()));
        }
        if key.len() > limits.name() {
            return Err(DecodeError::NameTooLong { size: key.len(), limit: limits.name() });
        }
    }
    Ok(())
}

/// Splits a length and that many bytes off the front of `rest`.
fn field<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], DecodeError> {
    let length = rest.try_get_u32().map_err(|_| DecodeError::Lengths)? as usize;
    let (field, after) = rest.split_at_checked(length).ok_or(DecodeError::Lengths)?;
    *rest = after;
    Ok(field)
}

/// The metadata pairs of a message, keys and values as bytes.
#[derive(Clone)]
pub struct Pairs<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        // Lengths were checked when the message was decoded: an error is the end of the block.
        Some((field(&mut self.rest).ok()?, field(&mut self.rest).ok()?))
    }
}

impl fmt::Debug for Pairs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pairs").finish_non_exhaustive()
    }
}

/// Why bytes are no message.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum DecodeError {
    /// The first byte is not `0x08`.
    BadMagic(u8),
    /// The message is longer than the limit, both in bytes.
    TooLong {
        /// The length that the message claims.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// The lengths inside the message do not add up.
    Lengths,
    /// A name or a metadata key is longer than the limit, both in bytes.
    NameTooLong {
        /// The length of the name.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// There are more metadata pairs than this limit.
    TooManyPairs(usize),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadMagic(byte) => write!(f, "expected the magic number 0x08, found {byte:#04x}"),
            Self::TooLong { size, limit } => {
                write!(f, "a message of {size} bytes exceeds the limit of {limit}")
            }
            Self::Lengths => f.write_str("the lengths inside the message do not add up"),
            Self::NameTooLong { size, limit } => {
                write!(f, "a name of {size} bytes exceeds the limit of {limit}")
            }
            Self::TooManyPairs(limit) => write!(f, "more than {limit} metadata pairs"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// Header and body length.
pub(super) const PREFIX: usize = Header::LEN + LENGTH;
/// A length on the wire.
const LENGTH: usize = 4;
/// Four lengths and nothing else.
const SMALLEST_BODY: usize = 4 * LENGTH;
/// A whole message with nothing in it.
const EMPTY: [u8; PREFIX + SMALLEST_BODY] = {
    let mut frame = [0; PREFIX + SMALLEST_BODY];
    frame[0] = MAGIC;
    frame[PREFIX - 1] = 16;
    frame
};
/// From here on a payload is worth copying the names out of its buffer.
const LARGE: usize = 16 << 10;
