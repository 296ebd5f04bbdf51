//! Which codec wrote a payload.

use std::fmt;

/// Which codec wrote a payload: a number of four bits in the header.
///
/// The numbers are those of Go rpcx 1.9.4.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct SerializeType(u8);

impl SerializeType {
    /// The bytes as they are.
    pub const RAW: Self = Self(0);
    /// JSON.
    pub const JSON: Self = Self(1);
    /// Protocol buffers.
    pub const PROTOBUF: Self = Self(2);
    /// `MessagePack`, structs as maps by field name. The default, as in Go.
    pub const MSGPACK: Self = Self(3);

    /// Makes the type of a number; only the low four bits count.
    pub const fn from_id(id: u8) -> Self {
        Self(id & 0x0f)
    }

    /// Gives the number, 0 to 15.
    pub const fn id(self) -> u8 {
        self.0
    }
}

impl fmt::Debug for SerializeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::RAW => f.write_str("RAW"),
            Self::JSON => f.write_str("JSON"),
            Self::PROTOBUF => f.write_str("PROTOBUF"),
            Self::MSGPACK => f.write_str("MSGPACK"),
            Self(id) => write!(f, "SerializeType({id})"),
        }
    }
}
