//! [`Bytes`], Go's `[]byte`.

use std::{borrow::Borrow, fmt, ops::Deref};

use base64::{
    Engine as _, alphabet,
    display::Base64Display,
    engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig},
};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, SeqAccess, Visitor},
};

use super::payload;

/// Bytes as Go's `[]byte` is written: binary in `MessagePack`, base64 text in JSON, and as they are
/// in the raw codec.
///
/// Use it wherever Go has a `[]byte`. A `Vec<u8>` is written as a list of numbers, which Go refuses
/// in `MessagePack`, and cannot read Go's base64 text in JSON.
///
/// Cloning shares the memory. One that was decoded may share the memory of the whole payload (see
/// [`decode`](super::decode)); [`Bytes::copy_from_slice`] makes one that does not. `Debug` shows the
/// length only.
///
/// ```
/// use rpcx::{Bytes, codec, protocol::SerializeType};
///
/// let data = Bytes::from(b"\x00\x01\xff");
/// assert_eq!(data.len(), 3);
///
/// let mut payload = Vec::new();
/// codec::encode(SerializeType::MSGPACK, &data, &mut payload)?;
/// assert_eq!(payload, b"\xc4\x03\x00\x01\xff");
///
/// let again: Bytes = codec::decode(SerializeType::MSGPACK, &payload.into())?;
/// assert_eq!(again, data);
/// # Ok::<(), codec::CodecError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(::bytes::Bytes);

impl Bytes {
    /// Makes an empty one, without allocating.
    pub const fn new() -> Self {
        Self(::bytes::Bytes::new())
    }

    /// Makes one of constant bytes, without copying.
    pub const fn from_static(bytes: &'static [u8]) -> Self {
        Self(::bytes::Bytes::from_static(bytes))
    }

    /// Makes one with memory of its own.
    pub fn copy_from_slice(bytes: &[u8]) -> Self {
        Self(::bytes::Bytes::copy_from_slice(bytes))
    }

    /// Gives the `bytes::Bytes` inside, without copying.
    pub fn into_inner(self) -> ::bytes::Bytes {
        self.0
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Borrow<[u8]> for Bytes {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl From<::bytes::Bytes> for Bytes {
    fn from(bytes: ::bytes::Bytes) -> Self {
        Self(bytes)
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl From<String> for Bytes {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&'static [u8]> for Bytes {
    fn from(bytes: &'static [u8]) -> Self {
        Self::from_static(bytes)
    }
}

impl<const N: usize> From<&'static [u8; N]> for Bytes {
    fn from(bytes: &'static [u8; N]) -> Self {
        Self::from_static(bytes)
    }
}

impl From<&'static str> for Bytes {
    fn from(text: &'static str) -> Self {
        Self::from_static(text.as_bytes())
    }
}

impl From<Bytes> for ::bytes::Bytes {
    fn from(bytes: Bytes) -> Self {
        bytes.0
    }
}

impl From<Bytes> for Vec<u8> {
    fn from(bytes: Bytes) -> Self {
        bytes.0.into()
    }
}

impl PartialEq<[u8]> for Bytes {
    fn eq(&self, other: &[u8]) -> bool {
        self.0 == *other
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bytes({} bytes)", self.len())
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(&Base64Display::new(self, &GO_BASE64))
        } else {
            serializer.serialize_bytes(self)
        }
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(BytesVisitor { text_is_base64: true })
        } else {
            deserializer.deserialize_byte_buf(BytesVisitor { text_is_base64: false })
        }
    }
}

struct BytesVisitor {
    text_is_base64: bool,
}

impl<'de> Visitor<'de> for BytesVisitor {
    type Value = Bytes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.text_is_base64 { "base64 text" } else { "bytes" })
    }

    fn visit_borrowed_bytes<E: Error>(self, bytes: &'de [u8]) -> Result<Bytes, E> {
        Ok(payload::share(bytes).map_or_else(|| Bytes::copy_from_slice(bytes), Bytes))
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
        Ok(Bytes::copy_from_slice(bytes))
    }

    fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
        Ok(bytes.into())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Bytes, E> {
        if self.text_is_base64 { from_base64(text) } else { self.visit_bytes(text.as_bytes()) }
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Bytes, E> {
        if self.text_is_base64 {
            from_base64(text)
        } else {
            self.visit_borrowed_bytes(text.as_bytes())
        }
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Bytes, E> {
        if self.text_is_base64 { from_base64(&text) } else { Ok(text.into()) }
    }

    fn visit_none<E: Error>(self) -> Result<Bytes, E> {
        Ok(Bytes::new())
    }

    fn visit_unit<E: Error>(self) -> Result<Bytes, E> {
        Ok(Bytes::new())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Bytes, D::Error> {
        Bytes::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut numbers: A) -> Result<Bytes, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = numbers.next_element::<u8>()? {
            bytes.push(byte);
        }
        Ok(bytes.into())
    }
}

fn from_base64<E: Error>(text: &str) -> Result<Bytes, E> {
    let decoded = if text.contains(['\r', '\n']) {
        // Go leaves line ends out.
        GO_BASE64.decode(text.replace(['\r', '\n'], ""))
    } else {
        GO_BASE64.decode(text)
    };
    // The library's own message quotes a byte of the text.
    decoded.map(Bytes::from).map_err(|_| E::custom("invalid base64 text"))
}

/// Go's `base64.StdEncoding`: padding is required, spare bits of the last character are not looked at.
const GO_BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::{
        codec::{CodecError, decode},
        protocol::SerializeType,
    };

    #[derive(Deserialize)]
    struct Blob {
        name: String,
        data: Bytes,
    }

    fn msgpack(payload: impl Into<::bytes::Bytes>) -> Result<Bytes, CodecError> {
        decode(SerializeType::MSGPACK, &payload.into())
    }

    #[test]
    fn large_bytes_share_the_payload() {
        let mut payload = b"\x82\xa4name\xa1n\xa4data\xc5\x20\x00".to_vec();
        let start = payload.len();
        payload.extend([7; 0x2000]);
        let payload = ::bytes::Bytes::from(payload);
        let blob: Blob = decode(SerializeType::MSGPACK, &payload).unwrap();
        assert_eq!(blob.name, "n");
        assert_eq!(blob.data.len(), 0x2000);
        assert_eq!(blob.data.as_ptr(), payload[start..].as_ptr());

        let raw: Bytes = decode(SerializeType::RAW, &payload).unwrap();
        assert_eq!(raw.as_ptr(), payload.as_ptr());
        let raw: Option<Bytes> = decode(SerializeType::RAW, &payload).unwrap();
        assert_eq!(raw.unwrap().as_ptr(), payload.as_ptr());
    }

    #[test]
    fn small_bytes_are_copied() {
        let payload = ::bytes::Bytes::from_static(b"\xc4\x01a");
        let bytes = msgpack(payload.clone()).unwrap();
        assert_eq!(&*bytes, b"a");
        assert_ne!(bytes.as_ptr(), payload[2..].as_ptr());
    }

    #[test]
    fn text_binary_numbers_and_nil_are_bytes() {
        assert_eq!(&*msgpack(&b"\xc4\x02\x00\xff"[..]).unwrap(), b"\x00\xff");
        assert_eq!(&*msgpack(&b"\xa2hi"[..]).unwrap(), b"hi");
        assert_eq!(&*msgpack(&b"\xa2\xff\xfe"[..]).unwrap(), b"\xff\xfe");
        assert_eq!(&*msgpack(&b"\x92\x01\xcc\xff"[..]).unwrap(), b"\x01\xff");
        assert_eq!(&*msgpack(&b"\xc0"[..]).unwrap(), b"");
        assert!(msgpack(&b"\x92\x01\xcd\x01\x00"[..]).is_err());
        assert!(msgpack(&b"\x01"[..]).is_err());
    }

    #[cfg(feature = "json")]
    #[test]
    fn json_has_gos_base64() {
        let json = |text: &'static str| decode::<Bytes>(SerializeType::JSON, &text.into());
        for (bytes, text) in [
            (&b""[..], r#""""#),
            (b"\x00", r#""AA==""#),
            (b"\xfb\xff", r#""+/8=""#),
            (b"\xfb\xff\xfe", r#""+//+""#),
        ] {
            let mut out = Vec::new();
            let value = Bytes::copy_from_slice(bytes);
            crate::codec::encode(SerializeType::JSON, &value, &mut out).unwrap();
            assert_eq!(out, text.as_bytes());
            assert_eq!(&*json(text).unwrap(), bytes);
        }
        // What Go reads too: line ends, spare bits, numbers.
        assert_eq!(&*json(r#""AA\r\n==""#).unwrap(), b"\x00");
        assert_eq!(&*json(r#""AB==""#).unwrap(), b"\x00");
        assert_eq!(&*json("[1, 255]").unwrap(), b"\x01\xff");
        assert_eq!(&*json("null").unwrap(), b"");
        for refused in [r#""AA""#, r#""-_8=""#, r#""AA== ""#, "[256]", "1", "{}"] {
            assert!(json(refused).is_err(), "{refused}");
        }
        let error = json(r#""AA!=""#).unwrap_err();
        assert_eq!(error.to_string(), "invalid base64 text at line 1 column 6");
    }

    #[test]
    fn debug_shows_no_content() {
        assert_eq!(format!("{:?}", Bytes::from("secret")), "Bytes(6 bytes)");
    }

    #[test]
    fn conversions_do_not_copy() {
        let vector = vec![1, 2, 3];
        let pointer = vector.as_ptr();
        let bytes = Bytes::from(vector);
        assert_eq!(bytes.as_ptr(), pointer);
        assert_eq!(bytes.clone().as_ptr(), pointer);
        assert_eq!(bytes.into_inner().as_ptr(), pointer);
        assert_eq!(Bytes::from("hi").to_vec(), Vec::from(Bytes::from("hi".to_owned())));
    }
}
