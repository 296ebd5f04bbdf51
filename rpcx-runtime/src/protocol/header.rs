//! The first 12 bytes of every message.

use super::{Compression, DecodeError, SerializeType};

/// The first 12 bytes of every message.
///
/// | byte | bits | field |
/// |------|------|-------|
/// | 0    |      | magic `0x08` |
/// | 1    |      | version: echoed, not checked |
/// | 2    | 7    | [`Kind`] |
/// | 2    | 6, 5 | heartbeat (6), one-way (5) |
/// | 2    | 4–2  | [`Compression`] |
/// | 2    | 1–0  | [`Status`] |
/// | 3    | 7–4  | [`SerializeType`] |
/// | 3    | 3–0  | reserved by Go rpcx; see [`Header::peer`] |
/// | 4–11 |      | sequence number: pairs a response with its request |
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Header {
    version: u8,
    flags: u8,
    coding: u8,
    seq: u64,
}

/// A side that is a peer of this crate, and so knows more than Go rpcx does: refusals that say that nothing
/// ran, calls that are given up, servers that are about to stop.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum Peer {
    /// A client: it marks its requests.
    Client = CLIENT,
    /// A server: it marks its responses to marked requests, and nothing else.
    Server = SERVER,
}

/// Which way a message goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// To the service.
    Request,
    /// Back to the caller.
    Response,
}

/// Whether a response carries a reply or an error.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Status {
    /// A reply.
    Normal,
    /// An error; its text is in the metadata.
    Error,
    /// A value that has no meaning yet: 2 or 3. Go rpcx 1.9.4 takes both for success.
    Reserved(u8),
}

impl Header {
    /// Length on the wire, in bytes.
    pub const LEN: usize = 12;

    /// Makes the header of a request.
    pub const fn request(seq: u64, serialize_type: SerializeType) -> Self {
        Self { version: 0, flags: 0, coding: serialize_type.id() << 4, seq }
    }

    /// Makes the header of the response to this request.
    ///
    /// Version, heartbeat and one-way bits, serialize type, reserved bits and sequence number are
    /// the request's, as Go rpcx 1.9.4 has it; compression and status start clean (Go copies the
    /// request's status, so that a success can look like an error).
    #[must_use]
    pub const fn response(self, status: Status) -> Self {
        let flags = RESPONSE | (self.flags & (HEARTBEAT | ONEWAY)) | status.bits();
        Self { flags, ..self }.answering_peer()
    }

    /// Answers the mark of a client with that of a server.
    const fn answering_peer(self) -> Self {
        match self.peer() {
            Some(Peer::Client) => self.with_peer(Peer::Server),
            _ => self,
        }
    }

    /// Makes the header of a message that a server sends on its own.
    pub const fn push(seq: u64) -> Self {
        Self { version: 0, flags: ONEWAY, coding: 0, seq }
    }

    /// Makes the header of a client's word, to a server that is a [`Peer`], that nobody waits for call
    /// `seq` any more.
    pub const fn cancel(seq: u64) -> Self {
        Self { version: 0, flags: ONEWAY | HEARTBEAT, coding: CLIENT, seq }
    }

    /// Tells whether the message is a [`cancel`](Self::cancel).
    pub const fn is_cancel(self) -> bool {
        self.flags == ONEWAY | HEARTBEAT && self.reserved() == CLIENT
    }

    /// Makes the header of a server's word, to a client that is a [`Peer`], that it is about to stop:
    /// further calls are better made elsewhere.
    pub const fn leaving() -> Self {
        Self { version: 0, flags: ONEWAY | HEARTBEAT, coding: SERVER, seq: 0 }
    }

    /// Tells whether the message is a [`leaving`](Self::leaving).
    pub const fn is_leaving(self) -> bool {
        self.flags == ONEWAY | HEARTBEAT && self.reserved() == SERVER
    }

    /// Reads the header of a message.
    ///
    /// # Errors
    ///
    /// [`DecodeError::BadMagic`] if byte 0 is not `0x08`. Every other byte may have any value.
    pub fn decode(bytes: [u8; Self::LEN]) -> Result<Self, DecodeError> {
        let [magic, version, flags, coding, seq @ ..] = bytes;
        if magic != MAGIC {
            return Err(DecodeError::BadMagic(magic));
        }
        Ok(Self { version, flags, coding, seq: u64::from_be_bytes(seq) })
    }

    /// Writes the header.
    pub const fn encode(self) -> [u8; Self::LEN] {
        let [a, b, c, d, e, f, g, h] = self.seq.to_be_bytes();
        [MAGIC, self.version, self.flags, self.coding, a, b, c, d, e, f, g, h]
    }

    /// Marks the message as one that is not answered.
    #[must_use]
    pub const fn with_oneway(self) -> Self {
        Self { flags: self.flags | ONEWAY, ..self }
    }

    /// Marks the message as a heartbeat.
    #[must_use]
    pub const fn with_heartbeat(self) -> Self {
        Self { flags: self.flags | HEARTBEAT, ..self }
    }

    /// Turns the message into a response, all else unchanged: what answers a heartbeat.
    #[must_use]
    pub const fn with_response(self) -> Self {
        Self { flags: self.flags | RESPONSE, ..self }.answering_peer()
    }

    /// Says how the payload is compressed.
    #[must_use]
    pub const fn with_compression(self, compression: Compression) -> Self {
        Self { flags: (self.flags & !COMPRESSION) | (compression.id() << 2), ..self }
    }

    /// Gives the version, which nobody checks.
    pub const fn version(self) -> u8 {
        self.version
    }

    /// Gives the direction.
    pub const fn kind(self) -> Kind {
        if self.flags & RESPONSE == 0 { Kind::Request } else { Kind::Response }
    }

    /// Tells whether the message only asks for a sign of life.
    pub const fn is_heartbeat(self) -> bool {
        self.flags & HEARTBEAT != 0
    }

    /// Tells whether the message is never answered.
    pub const fn is_oneway(self) -> bool {
        self.flags & ONEWAY != 0
    }

    /// Gives the compression of the payload.
    pub const fn compression(self) -> Compression {
        Compression::from_id(self.flags >> 2)
    }

    /// Gives the status.
    pub const fn status(self) -> Status {
        match self.flags & STATUS {
            0 => Status::Normal,
            1 => Status::Error,
            other => Status::Reserved(other),
        }
    }

    /// Gives the codec of the payload.
    pub const fn serialize_type(self) -> SerializeType {
        SerializeType::from_id(self.coding >> 4)
    }

    /// Says, in the reserved bits, that this side knows what only peers of this crate do.
    ///
    /// Go rpcx 1.9.4 ignores the bits of a request and copies them into the response: its responses have a
    /// client's mark, never a server's.
    #[must_use]
    pub const fn with_peer(self, peer: Peer) -> Self {
        Self { coding: (self.coding & 0xf0) | peer as u8, ..self }
    }

    /// Tells whether the other side is a peer of this crate; `None` if it does not say so.
    pub const fn peer(self) -> Option<Peer> {
        match self.reserved() {
            CLIENT => Some(Peer::Client),
            SERVER => Some(Peer::Server),
            _ => None,
        }
    }

    /// Gives the four reserved bits.
    pub const fn reserved(self) -> u8 {
        self.coding & 0x0f
    }

    /// Gives the sequence number.
    pub const fn seq(self) -> u64 {
        self.seq
    }
}

impl Status {
    const fn bits(self) -> u8 {
        match self {
            Self::Normal => 0,
            Self::Error => 1,
            Self::Reserved(value) => value & STATUS,
        }
    }
}

pub(super) const MAGIC: u8 = 0x08;
const RESPONSE: u8 = 0x80;
const HEARTBEAT: u8 = 0x40;
const ONEWAY: u8 = 0x20;
const COMPRESSION: u8 = 0x1c;
const STATUS: u8 = 0x03;
const CLIENT: u8 = 0x5;
const SERVER: u8 = 0xa;

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by Go rpcx 1.9.4: an error response, `MessagePack`, sequence number 258.
    const GO_ERROR_RESPONSE: [u8; 12] = [0x08, 0, 0x81, 0x30, 0, 0, 0, 0, 0, 0, 1, 2];

    #[test]
    fn decodes_what_go_writes() {
        let header = Header::decode(GO_ERROR_RESPONSE).unwrap();
        assert_eq!(header.kind(), Kind::Response);
        assert_eq!(header.status(), Status::Error);
        assert_eq!(header.serialize_type(), SerializeType::MSGPACK);
        assert_eq!(header.seq(), 258);
        assert_eq!(header.encode(), GO_ERROR_RESPONSE);
    }

    #[test]
    fn a_response_starts_with_a_clean_status_and_no_compression() {
        let request = Header::decode([8, 3, 0x67, 0x3f, 0, 0, 0, 0, 0, 0, 0, 9]).unwrap();
        let response = request.response(Status::Normal);
        assert_eq!(response.encode(), [8, 3, 0xe0, 0x3f, 0, 0, 0, 0, 0, 0, 0, 9]);
    }

    #[test]
    fn a_server_answers_the_mark_of_a_client_with_its_own() {
        let request = Header::request(7, SerializeType::JSON).with_peer(Peer::Client);
        assert_eq!(request.encode()[3], 0x15);
        let response = request.response(Status::Normal);
        assert_eq!((response.peer(), response.encode()[3]), (Some(Peer::Server), 0x1a));
        assert_eq!(Header::request(7, SerializeType::JSON).response(Status::Normal).peer(), None);
    }

    #[test]
    fn every_value_of_the_flag_and_coding_bytes_is_kept() {
        for value in 0..=u8::MAX {
            let bytes = [8, value, value, value, 1, 2, 3, 4, 5, 6, 7, 8];
            assert_eq!(Header::decode(bytes).unwrap().encode(), bytes);
        }
    }
}
