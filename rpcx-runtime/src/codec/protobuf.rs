//! Serialize type 2: protobuf, for `prost::Message` types.
//!
//! Messages do not go through serde, hence functions of their own. A message of default values is an
//! empty payload.
//!
//! ```
//! use rpcx::codec;
//!
//! // `String` is the well-known wrapper message of one text field.
//! let mut payload = Vec::new();
//! codec::encode_message(&"hi".to_owned(), &mut payload)?;
//! assert_eq!(payload, b"\x0a\x02hi");
//!
//! let text: String = codec::decode_message(&payload.into())?;
//! assert_eq!(text, "hi");
//! # Ok::<(), codec::CodecError>(())
//! ```

use prost::Message;

use super::CodecError;

/// Appends a protobuf message to `out`.
///
/// # Errors
///
/// [`CodecError::Encode`] if the message is too large for a vector; `out` is then as long as before.
pub fn encode_message<M: Message>(value: &M, out: &mut Vec<u8>) -> Result<(), CodecError> {
    let start = out.len();
    value
        .encode(out)
        .map_err(|error| CodecError::Encode(error.to_string()))
        .inspect_err(|_| out.truncate(start))
}

/// Reads a protobuf message.
///
/// Fields of type `bytes::Bytes` share the payload's memory.
///
/// # Errors
///
/// [`CodecError::Decode`] if the payload is not an `M`, is cut short, or nests more than 100 deep.
pub fn decode_message<M: Message + Default>(payload: &::bytes::Bytes) -> Result<M, CodecError> {
    M::decode(payload.clone()).map_err(|error| CodecError::Decode(error.to_string()))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[derive(Clone, PartialEq, prost::Message)]
    struct Node {
        #[prost(message, optional, boxed, tag = "1")]
        next: Option<Box<Node>>,
        #[prost(bytes = "bytes", tag = "2")]
        data: Bytes,
    }

    #[test]
    fn encoding_appends() {
        let mut out = b"before".to_vec();
        encode_message(&7_i64, &mut out).unwrap();
        assert_eq!(out, b"before\x08\x07");
    }

    #[test]
    fn a_message_of_defaults_is_empty() {
        let mut out = Vec::new();
        encode_message(&Node::default(), &mut out).unwrap();
        assert_eq!(out, b"");
        assert_eq!(decode_message(&Bytes::new()), Ok(Node::default()));
        assert_eq!(decode_message(&Bytes::new()), Ok(()));
    }

    #[test]
    fn bytes_share_the_payload() {
        let payload = Bytes::from_static(b"\x12\x02hi");
        let node: Node = decode_message(&payload).unwrap();
        assert_eq!(node.data.as_ptr(), payload[2..].as_ptr());
    }

    #[test]
    fn broken_messages_are_errors() {
        for payload in [&b"\x08"[..], b"\x0a\xff\xff\xff\xff\x0f", b"\x0a\x05hi", b"\x0f", b"\xff"]
        {
            let read = decode_message::<Node>(&payload.into());
            assert!(matches!(read, Err(CodecError::Decode(_))), "{payload:?}");
        }
    }

    #[test]
    fn deep_messages_are_errors() {
        // From the inside out: each level is a field of the length so far.
        let mut node = Vec::new();
        for _ in 0..10_000 {
            let mut outer = vec![0x0a];
            prost::encode_length_delimiter(node.len(), &mut outer).unwrap();
            outer.append(&mut node);
            node = outer;
        }
        let thread = std::thread::Builder::new().stack_size(2 << 20);
        let read = thread.spawn(move || decode_message::<Node>(&node.into())).unwrap();
        assert!(read.join().unwrap().is_err());
    }
}
