//! [`Time`], Go's `time.Time`.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, SeqAccess, Visitor},
    ser::Error as _,
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// A point in time as Go's `time.Time` is written: an extension in `MessagePack`, RFC 3339 text in
/// JSON.
///
/// It holds what Go sends, whole nanoseconds in UTC; a time zone in JSON is converted. The default is
/// Go's zero time, the start of year 1, and nil reads as that too.
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use rpcx::{Time, codec, protocol::SerializeType};
///
/// let time = Time::try_from(SystemTime::UNIX_EPOCH + Duration::from_millis(1_500))?;
/// assert_eq!((time.seconds(), time.nanoseconds()), (1, 500_000_000));
///
/// let mut payload = Vec::new();
/// codec::encode(SerializeType::MSGPACK, &time, &mut payload)?;
/// assert_eq!(codec::decode(SerializeType::MSGPACK, &payload.into()), Ok(time));
///
/// assert!(Time::default().is_zero());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time {
    /// Since 1970; the fields are in the order they compare in.
    seconds: i64,
    nanoseconds: u32,
}

impl Time {
    /// Go's zero time, `0001-01-01T00:00:00Z`: what an unset `time.Time` holds.
    pub const GO_ZERO: Self = Self { seconds: -62_135_596_800, nanoseconds: 0 };

    /// The start of 1970.
    pub const UNIX_EPOCH: Self = Self { seconds: 0, nanoseconds: 0 };

    /// Makes a time of seconds since 1970 and the nanoseconds after them.
    ///
    /// Times before 1970 have negative seconds; the nanoseconds always count forwards. Gives `None`
    /// if they make a second or more.
    pub const fn new(seconds: i64, nanoseconds: u32) -> Option<Self> {
        if nanoseconds < NANOSECONDS { Some(Self { seconds, nanoseconds }) } else { None }
    }

    /// Seconds since 1970, rounded down.
    pub const fn seconds(self) -> i64 {
        self.seconds
    }

    /// Nanoseconds after the second, below 10⁹.
    pub const fn nanoseconds(self) -> u32 {
        self.nanoseconds
    }

    /// Whether this is Go's zero time, as Go's `IsZero` says.
    pub const fn is_zero(&self) -> bool {
        self.seconds == Self::GO_ZERO.seconds && self.nanoseconds == 0
    }
}

impl Default for Time {
    fn default() -> Self {
        Self::GO_ZERO
    }
}

impl TryFrom<SystemTime> for Time {
    type Error = TimeRangeError;

    fn try_from(time: SystemTime) -> Result<Self, TimeRangeError> {
        let (seconds, nanoseconds) = match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => (i64::try_from(after.as_secs()).ok(), after.subsec_nanos()),
            Err(error) => {
                let before = error.duration();
                let seconds = 0_i64.checked_sub_unsigned(before.as_secs());
                match before.subsec_nanos() {
                    0 => (seconds, 0),
                    part => (seconds.and_then(|whole| whole.checked_sub(1)), NANOSECONDS - part),
                }
            }
        };
        let seconds = seconds.ok_or(TimeRangeError(()))?;
        Ok(Self { seconds, nanoseconds })
    }
}

impl TryFrom<Time> for SystemTime {
    type Error = TimeRangeError;

    fn try_from(time: Time) -> Result<Self, TimeRangeError> {
        let whole = Duration::from_secs(time.seconds.unsigned_abs());
        let part = Duration::from_nanos(time.nanoseconds.into());
        let start = if time.seconds < 0 {
            Self::UNIX_EPOCH.checked_sub(whole)
        } else {
            Self::UNIX_EPOCH.checked_add(whole)
        };
        start.and_then(|start| start.checked_add(part)).ok_or(TimeRangeError(()))
    }
}

/// A time that the other clock type cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeRangeError(());

impl fmt::Display for TimeRangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("time out of range")
    }
}

impl std::error::Error for TimeRangeError {}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            let text = self.to_rfc3339().ok_or_else(|| {
                S::Error::custom("year outside of 0 to 9999 has no RFC 3339 text")
            })?;
            return serializer.serialize_str(&text);
        }
        let (form, length) = self.to_extension();
        let extension = (EXTENSION, Part(form.get(..length).unwrap_or(&form)));
        serializer.serialize_newtype_struct(rmp_serde::MSGPACK_EXT_STRUCT_NAME, &extension)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Not through rmp-serde's extension name: that refuses nil.
        deserializer.deserialize_any(TimeVisitor)
    }
}

impl Time {
    fn to_rfc3339(self) -> Option<String> {
        let nanoseconds = i128::from(self.seconds) * i128::from(NANOSECONDS);
        OffsetDateTime::from_unix_timestamp_nanos(nanoseconds + i128::from(self.nanoseconds))
            .ok()?
            .format(&Rfc3339)
            .ok()
    }

    fn from_rfc3339(text: &str) -> Option<Self> {
        let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        Self::new(time.unix_timestamp(), time.nanosecond())
    }

    /// The shortest of the extension's three forms, and its length.
    fn to_extension(self) -> ([u8; 12], usize) {
        let mut form = [0; 12];
        let nanoseconds = u64::from(self.nanoseconds);
        match (u32::try_from(self.seconds), u64::try_from(self.seconds)) {
            (Ok(seconds), _) if nanoseconds == 0 => {
                form[..4].copy_from_slice(&seconds.to_be_bytes());
                (form, 4)
            }
            (_, Ok(seconds)) if seconds >> SECONDS_BITS == 0 => {
                let both = nanoseconds << SECONDS_BITS | seconds;
                form[..8].copy_from_slice(&both.to_be_bytes());
                (form, 8)
            }
            _ => {
                form[..4].copy_from_slice(&self.nanoseconds.to_be_bytes());
                form[4..].copy_from_slice(&self.seconds.to_be_bytes());
                (form, 12)
            }
        }
    }

    fn from_extension(bytes: &[u8]) -> Option<Self> {
        if let Ok(seconds) = bytes.try_into().map(u32::from_be_bytes) {
            return Self::new(seconds.into(), 0);
        }
        if let Ok(both) = bytes.try_into().map(u64::from_be_bytes) {
            let seconds = both & ((1 << SECONDS_BITS) - 1);
            return Self::new(seconds.try_into().ok()?, (both >> SECONDS_BITS).try_into().ok()?);
        }
        let (nanoseconds, seconds) = bytes.split_first_chunk::<4>()?;
        let seconds = i64::from_be_bytes(seconds.try_into().ok()?);
        Self::new(seconds, u32::from_be_bytes(*nanoseconds))
    }
}

/// Bytes to be written as such.
struct Part<'a>(&'a [u8]);

impl Serialize for Part<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

struct TimeVisitor;

impl<'de> Visitor<'de> for TimeVisitor {
    type Value = Time;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Time, E> {
        Time::from_rfc3339(text).ok_or_else(|| E::custom("invalid RFC 3339 time"))
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<Time, E> {
        Ok(Time::GO_ZERO)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Time, E> {
        Ok(Time::GO_ZERO)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Time, D::Error> {
        Time::deserialize(deserializer)
    }

    /// A `MessagePack` extension.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Time, D::Error> {
        deserializer.deserialize_any(self)
    }

    /// The type and the bytes of an extension.
    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Time, A::Error> {
        let kind = parts.next_element::<i8>()?;
        let time = parts.next_element::<ExtensionBytes>()?;
        match (kind, time) {
            (Some(EXTENSION), Some(ExtensionBytes(Some(time)))) => Ok(time),
            (Some(EXTENSION), _) => Err(A::Error::custom("invalid time extension")),
            _ => Err(A::Error::custom("extension is not a time")),
        }
    }
}

/// What the bytes of an extension say, if they are a time.
struct ExtensionBytes(Option<Time>);

impl<'de> Deserialize<'de> for ExtensionBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(ExtensionVisitor)
    }
}

struct ExtensionVisitor;

impl Visitor<'_> for ExtensionVisitor {
    type Value = ExtensionBytes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("4, 8 or 12 bytes")
    }

    fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<ExtensionBytes, E> {
        Ok(ExtensionBytes(Time::from_extension(bytes)))
    }
}

/// `MessagePack`'s extension type for times.
const EXTENSION: i8 = -1;

/// Bits of the seconds in the 8-byte form; the nanoseconds have the rest.
const SECONDS_BITS: u32 = 34;

const NANOSECONDS: u32 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        codec::{CodecError, decode, encode},
        protocol::SerializeType,
    };

    fn msgpack(payload: &'static [u8]) -> Result<Time, CodecError> {
        decode(SerializeType::MSGPACK, &payload.into())
    }

    fn written(seconds: i64, nanoseconds: u32) -> Vec<u8> {
        let mut out = Vec::new();
        let time = Time::new(seconds, nanoseconds).unwrap();
        encode(SerializeType::MSGPACK, &time, &mut out).unwrap();
        assert_eq!(decode(SerializeType::MSGPACK, &out.clone().into()), Ok(time));
        out
    }

    #[test]
    fn the_shortest_form_is_written() {
        assert_eq!(written(0, 0), b"\xd6\xff\0\0\0\0");
        assert_eq!(written(0xffff_ffff, 0), b"\xd6\xff\xff\xff\xff\xff");
        assert_eq!(written(0x1_0000_0000, 0), b"\xd7\xff\0\0\0\x01\0\0\0\0");
        assert_eq!(written(1, 1), b"\xd7\xff\0\0\0\x04\0\0\0\x01");
        assert_eq!(
            written(0x3_ffff_ffff, 999_999_999),
            b"\xd7\xff\xee\x6b\x27\xff\xff\xff\xff\xff"
        );
        assert_eq!(written(0x4_0000_0000, 0), b"\xc7\x0c\xff\0\0\0\0\0\0\0\x04\0\0\0\0");
        assert_eq!(written(-1, 0), b"\xc7\x0c\xff\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff");
        let zero = written(Time::GO_ZERO.seconds(), 0);
        assert_eq!(zero, b"\xc7\x0c\xff\0\0\0\0\xff\xff\xff\xf1\x88\x6e\x09\0");
        written(i64::MAX, 999_999_999);
        written(i64::MIN, 0);
    }

    #[test]
    fn any_form_is_read() {
        let one = Time::new(1, 0).unwrap();
        assert_eq!(msgpack(b"\xd7\xff\0\0\0\0\0\0\0\x01"), Ok(one));
        assert_eq!(msgpack(b"\xc7\x04\xff\0\0\0\x01"), Ok(one));
        assert_eq!(msgpack(b"\xc7\x08\xff\0\0\0\0\0\0\0\x01"), Ok(one));
        assert_eq!(msgpack(b"\xc8\0\x0c\xff\0\0\0\0\0\0\0\0\0\0\0\x01"), Ok(one));
        assert_eq!(msgpack(b"\xb41970-01-01T00:00:01Z"), Ok(one));
        assert_eq!(msgpack(b"\xc0"), Ok(Time::GO_ZERO));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        let invalid = Err(CodecError::Decode("invalid time extension".to_owned()));
        assert_eq!(msgpack(b"\xd5\xff\0\0"), invalid);
        assert_eq!(msgpack(b"\xd8\xff\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), invalid);
        assert_eq!(msgpack(b"\xc7\0\xff"), invalid);
        // A billion nanoseconds.
        assert_eq!(msgpack(b"\xd7\xff\xee\x6b\x28\0\0\0\0\0"), invalid);
        let other = Err(CodecError::Decode("extension is not a time".to_owned()));
        assert_eq!(msgpack(b"\xd6\x05\0\0\0\0"), other);
        for payload in [&b"\x01"[..], b"\xa4soon", b"\x80", b"\x90", b"\xcb\0\0\0\0\0\0\0\0"] {
            assert!(msgpack(payload).is_err(), "{payload:?}");
        }
    }

    #[cfg(feature = "json")]
    #[test]
    fn json_has_rfc_3339() {
        let json = |text: &'static str| decode::<Time>(SerializeType::JSON, &text.into());
        let written = |seconds, nanoseconds| {
            let mut out = Vec::new();
            let time = Time::new(seconds, nanoseconds).unwrap();
            encode(SerializeType::JSON, &time, &mut out).map(|()| String::from_utf8(out).unwrap())
        };
        for (seconds, nanoseconds, text) in [
            (0, 0, r#""1970-01-01T00:00:00Z""#),
            (0, 120_000_000, r#""1970-01-01T00:00:00.12Z""#),
            (-1, 1, r#""1969-12-31T23:59:59.000000001Z""#),
            (-62_135_596_800, 0, r#""0001-01-01T00:00:00Z""#),
            (253_402_300_799, 999_999_999, r#""9999-12-31T23:59:59.999999999Z""#),
        ] {
            assert_eq!(written(seconds, nanoseconds), Ok(text.to_owned()));
            assert_eq!(json(text), Ok(Time::new(seconds, nanoseconds).unwrap()));
        }
        let too_late = "year outside of 0 to 9999 has no RFC 3339 text".to_owned();
        assert_eq!(written(253_402_300_800, 0), Err(CodecError::Encode(too_late.clone())));
        assert_eq!(written(i64::MIN, 0), Err(CodecError::Encode(too_late)));

        let offset = json(r#""2023-11-15T00:13:20.5+02:00""#);
        assert_eq!(offset, Ok(Time::new(1_700_000_000, 500_000_000).unwrap()));
        assert_eq!(json("null"), Ok(Time::GO_ZERO));
        for refused in [r#""""#, r#""1970-01-01""#, r#""1970-13-01T00:00:00Z""#, "0", "{}"] {
            assert!(json(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn system_times_go_there_and_back() {
        for (seconds, nanoseconds) in [(0, 0), (1, 5), (-1, 0), (-1, 999_999_999), (1 << 40, 7)] {
            let time = Time::new(seconds, nanoseconds).unwrap();
            let system = SystemTime::try_from(time).unwrap();
            assert_eq!(Time::try_from(system), Ok(time));
        }
        let half_before = SystemTime::UNIX_EPOCH - Duration::from_millis(500);
        assert_eq!(Time::try_from(half_before), Ok(Time::new(-1, 500_000_000).unwrap()));
        assert_eq!(SystemTime::try_from(Time::UNIX_EPOCH), Ok(SystemTime::UNIX_EPOCH));
    }

    #[test]
    fn times_are_in_order_and_start_at_gos_zero() {
        let times = [
            Time::new(i64::MIN, 0),
            Some(Time::GO_ZERO),
            Time::new(-1, 0),
            Time::new(-1, 1),
            Some(Time::UNIX_EPOCH),
            Time::new(0, 1),
        ];
        assert!(times.is_sorted());
        assert_eq!(Time::default(), Time::GO_ZERO);
        assert!(Time::default().is_zero() && !Time::UNIX_EPOCH.is_zero());
        assert_eq!(Time::new(0, 1_000_000_000), None);
    }
}
