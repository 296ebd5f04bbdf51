//! The rpcx message format: bytes in, [`Message`] out, and back.
//!
//! Nothing here touches a socket or a clock, so every rule can be tested on byte strings alone.
//! Integers are big-endian.
//!
//! `header (12) | body length (4) | path | method | metadata | payload`
//!
//! Each of the four fields of the body is a `u32` length and that many bytes; the metadata block
//! is a list of pairs, each a key and a value with a `u32` length of its own. Decoding is strict:
//! lengths must add up exactly. (Go rpcx 1.9.4 half-fills a message whose lengths do not.)
//!
//! ```
//! use bytes::BytesMut;
//! use rpcx::protocol::{Decoded, Header, Limits, Message, Output, SerializeType};
//!
//! let mut output = Output::new();
//! let header = Header::request(7, SerializeType::RAW);
//! output.frame(header, b"Arith", b"Echo", [(b"k".as_slice(), b"v".as_slice())], b"hello");
//!
//! let mut bytes = BytesMut::from(output.to_vec().as_slice());
//! let Decoded::Message(message) = Message::decode(&mut bytes, &Limits::default())? else {
//!     unreachable!("the whole frame is there");
//! };
//! assert_eq!(message.header().seq(), 7);
//! assert_eq!(message.service_path(), b"Arith");
//! assert_eq!(message.payload(), &b"hello"[..]);
//! # Ok::<(), rpcx::protocol::DecodeError>(())
//! ```

mod compression;
mod header;
mod limits;
mod message;
mod output;
mod serialize_type;

pub(crate) use compression::COMPRESS_ABOVE;
#[cfg(feature = "gzip")]
pub use compression::Gzip;
pub use compression::{Compression, CompressionError, Compressor, Compressors};
pub use header::{Header, Kind, Peer, Status};
pub use limits::Limits;
pub use message::{DecodeError, Decoded, Message, Pairs};
pub use output::Output;
pub use serialize_type::SerializeType;
