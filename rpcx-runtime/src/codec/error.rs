//! Why a value could not be written or read.

use std::{any::type_name, error::Error, fmt};

use crate::protocol::SerializeType;

/// Why a value could not be encoded or decoded.
///
/// The texts are the codec's own, without the values it names: no part of a payload gets into an
/// error, so one can be logged or sent to a peer. What a type's own `Deserialize` says through
/// `Error::custom` is kept as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodecError {
    /// No codec has this id, or its Cargo feature is off.
    Unknown(SerializeType),
    /// The type has no form in this codec, whatever its value.
    #[non_exhaustive]
    Unsupported {
        /// The Rust type.
        type_name: &'static str,
        /// The codec that has no form for it.
        serialize_type: SerializeType,
    },
    /// The codec or the type refused the value; the text is the codec's.
    Encode(String),
    /// The payload is not a value of the type; the text is the codec's.
    Decode(String),
}

impl CodecError {
    pub(super) fn unsupported<T: ?Sized>(serialize_type: SerializeType) -> Self {
        Self::Unsupported { type_name: type_name::<T>(), serialize_type }
    }

    /// Keeps what a codec said about a payload, without what it quotes from it.
    pub(super) fn decode(message: &str) -> Self {
        Self::Decode(without_values(message))
    }
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Go rpcx 1.9.4's text.
            Self::Unknown(serialize_type) => {
                write!(f, "can not find codec for {}", serialize_type.id())
            }
            Self::Unsupported { type_name, serialize_type: SerializeType::RAW } => {
                write!(f, "`{type_name}` is not bytes: serialize type 0 carries `rpcx::Bytes` only")
            }
            Self::Unsupported { type_name, serialize_type } => write!(
                f,
                "`{type_name}` is a serde type: serialize type {} carries `prost::Message` types only",
                serialize_type.id()
            ),
            Self::Encode(text) | Self::Decode(text) => f.write_str(text),
        }
    }
}

impl Error for CodecError {}

/// Drops from serde's standard messages the value found, and keeps its kind and what was expected.
///
/// The value comes first and may hold any text, so the cut ends at the *last* separator: what
/// follows it was written by the type, not by the peer.
fn without_values(message: &str) -> String {
    for start in ["invalid type: ", "invalid value: "] {
        if let Some(found) = message.strip_prefix(start) {
            let kind = KINDS.iter().find(|kind| found.starts_with(**kind)).copied();
            let expected = found.rfind(EXPECTED).and_then(|at| found.get(at..));
            return [start, kind.unwrap_or("value"), expected.unwrap_or_default()].concat();
        }
    }
    for start in ["unknown field", "unknown variant"] {
        if let Some(found) = message.strip_prefix(start) {
            let expected = match found.rfind("`, there are no ") {
                Some(at) if found.get(at..).is_some_and(|end| !end.contains(EXPECTED)) => {
                    found.get(at + 1..)
                }
                _ => found.rfind("`, expected ").and_then(|at| found.get(at + 1..)),
            };
            return [start, expected.unwrap_or_default()].concat();
        }
    }
    message.to_owned()
}

const EXPECTED: &str = ", expected ";

/// How serde names what it found, before the value itself.
const KINDS: [&str; 17] = [
    "null",
    "boolean",
    "integer",
    "floating point",
    "character",
    "string",
    "byte array",
    "unit value",
    "unit variant",
    "Option value",
    "newtype struct",
    "newtype variant",
    "sequence",
    "map",
    "enum",
    "tuple variant",
    "struct variant",
];

#[cfg(test)]
mod tests {
    use super::without_values;

    #[test]
    fn values_are_left_out_and_the_rest_is_kept() {
        for (said, kept) in [
            ("missing field `A`", "missing field `A`"),
            ("invalid length 2, expected 3", "invalid length 2, expected 3"),
            (
                r#"invalid type: string "a, expected b", expected u8 at line 1 column 5"#,
                "invalid type: string, expected u8 at line 1 column 5",
            ),
            ("invalid type: null, expected u8", "invalid type: null, expected u8"),
            ("invalid value: integer `-1`, expected u8", "invalid value: integer, expected u8"),
            ("invalid type: Option value, expected x", "invalid type: Option value, expected x"),
            ("invalid type: something of theirs", "invalid type: value"),
            ("unknown field `x`, there are no fields", "unknown field, there are no fields"),
            (
                "unknown field `x`, expected `y`, there are no fields at line 1 column 2",
                "unknown field, there are no fields at line 1 column 2",
            ),
            (
                "unknown field `x`, there are no fields`, expected `a`",
                "unknown field, expected `a`",
            ),
            (
                "unknown variant `x`, expected one of `a`, `b`",
                "unknown variant, expected one of `a`, `b`",
            ),
            ("unknown variant", "unknown variant"),
        ] {
            assert_eq!(without_values(said), kept, "{said}");
        }
    }
}
