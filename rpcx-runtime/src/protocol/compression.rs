//! How a payload is made smaller, and restored within a limit.

use std::fmt;
use std::sync::Arc;

/// How a payload is compressed: a number of three bits in the header.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct Compression(u8);

impl Compression {
    /// Not compressed.
    pub const NONE: Self = Self(0);
    /// gzip, number 1, the only one that Go rpcx 1.9.4 has registered.
    pub const GZIP: Self = Self(1);

    /// Makes the compression of a number; only the low three bits count. Numbers 2 to 7 are free
    /// for compressors of your own, see [`Compressors::register`].
    pub const fn from_id(id: u8) -> Self {
        Self(id & 0x07)
    }

    /// Gives the number, 0 to 7.
    pub const fn id(self) -> u8 {
        self.0
    }
}

impl fmt::Debug for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NONE => f.write_str("NONE"),
            Self::GZIP => f.write_str("GZIP"),
            Self(id) => write!(f, "Compression({id})"),
        }
    }
}

/// A way to compress payloads.
pub trait Compressor: fmt::Debug + Send + Sync {
    /// Compresses `data`.
    ///
    /// # Errors
    ///
    /// [`CompressionError::Failed`] if the compressor refuses the data.
    fn compress(&self, data: &[u8]) -> Result<Vec<u8>, CompressionError>;

    /// Restores what [`compress`](Self::compress) or a peer made.
    ///
    /// `data` comes from the network: an implementation stops as soon as more than `limit` bytes
    /// have come out, and never allocates by a length that the data claims.
    ///
    /// # Errors
    ///
    /// [`CompressionError::TooLong`] past the limit, [`CompressionError::Failed`] for broken data.
    fn decompress(&self, data: &[u8], limit: usize) -> Result<Vec<u8>, CompressionError>;
}

/// Why a payload could not be compressed or restored.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum CompressionError {
    /// No compressor has this number.
    Unsupported(Compression),
    /// The restored payload would be longer than the limit, in bytes.
    TooLong(usize),
    /// The compressor's own words.
    Failed(String),
}

impl fmt::Display for CompressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Go's text.
            Self::Unsupported(_) => f.write_str("unsupported compressor"),
            Self::TooLong(limit) => write!(f, "decompressed payload is longer than {limit} bytes"),
            Self::Failed(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for CompressionError {}

/// The compressors that one client or server knows, by number.
#[derive(Clone, Debug)]
pub struct Compressors {
    by_id: [Option<Arc<dyn Compressor>>; 8],
}

impl Compressors {
    /// Adds or replaces the compressor of a number.
    ///
    /// Both sides need it. [`Compression::NONE`] stands for no compressor and cannot be replaced.
    #[must_use]
    pub fn register(mut self, id: Compression, compressor: impl Compressor + 'static) -> Self {
        if id != Compression::NONE {
            self.by_id[usize::from(id.id())] = Some(Arc::new(compressor));
        }
        self
    }

    fn get(&self, id: Compression) -> Result<&dyn Compressor, CompressionError> {
        let known = self.by_id[usize::from(id.id())].as_deref();
        known.ok_or(CompressionError::Unsupported(id))
    }

    pub(crate) fn compress(
        &self,
        id: Compression,
        data: &[u8],
    ) -> Result<Vec<u8>, CompressionError> {
        self.get(id)?.compress(data)
    }

    pub(crate) fn decompress(
        &self,
        id: Compression,
        data: &[u8],
        limit: usize,
    ) -> Result<Vec<u8>, CompressionError> {
        self.get(id)?.decompress(data, limit)
    }
}

impl Default for Compressors {
    /// Knows gzip if the cargo feature `gzip` is on.
    fn default() -> Self {
        let compressors = Self { by_id: Default::default() };
        #[cfg(feature = "gzip")]
        let compressors = compressors.register(Compression::GZIP, Gzip::default());
        compressors
    }
}

/// gzip, level 6 unless said otherwise.
#[cfg(feature = "gzip")]
#[derive(Clone, Copy, Debug)]
pub struct Gzip {
    level: u32,
}

#[cfg(feature = "gzip")]
impl Gzip {
    /// Makes a compressor with a level: 0 is none, 1 the fastest, 9 the smallest.
    pub const fn new(level: u32) -> Self {
        Self { level: if level > 9 { 9 } else { level } }
    }
}

#[cfg(feature = "gzip")]
impl Default for Gzip {
    fn default() -> Self {
        Self::new(6)
    }
}

#[cfg(feature = "gzip")]
impl Compressor for Gzip {
    fn compress(&self, data: &[u8]) -> Result<Vec<u8>, CompressionError> {
        use std::io::Write as _;
        let level = flate2::Compression::new(self.level);
        let mut encoder = flate2::write::GzEncoder::new(Vec::with_capacity(data.len() / 2), level);
        encoder
            .write_all(data)
            .and_then(|()| encoder.finish())
            .map_err(|error| CompressionError::Failed(error.to_string()))
    }

    fn decompress(&self, data: &[u8], limit: usize) -> Result<Vec<u8>, CompressionError> {
        use std::io::Read as _;
        if data.is_empty() {
            // A decoder would call this a stream without members; Go says the same word.
            return Err(CompressionError::Failed("gzip: EOF".to_owned()));
        }
        let mut out = Vec::new();
        let past_limit = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        flate2::read::MultiGzDecoder::new(data)
            .take(past_limit)
            .read_to_end(&mut out)
            .map_err(|error| CompressionError::Failed(format!("gzip: {error}")))?;
        if out.len() > limit {
            return Err(CompressionError::TooLong(limit));
        }
        Ok(out)
    }
}

/// Payloads up to this many bytes travel as they are, on both sides, as in Go rpcx 1.9.4.
pub(crate) const COMPRESS_ABOVE: usize = 1024;

#[cfg(all(test, feature = "gzip"))]
mod tests {
    use super::*;

    #[test]
    fn gzip_restores_what_it_made() {
        let data: Vec<u8> = (0..100_000u32).flat_map(u32::to_le_bytes).collect();
        let packed = Gzip::default().compress(&data).unwrap();
        assert_eq!(Gzip::default().decompress(&packed, data.len()), Ok(data));
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let packed = Gzip::default().compress(&vec![0; 64 << 20]).unwrap();
        let result = Gzip::default().decompress(&packed, 1 << 20);
        assert_eq!(result, Err(CompressionError::TooLong(1 << 20)));
    }

    #[test]
    fn broken_streams_are_errors() {
        let mut packed = Gzip::default().compress(b"hello").unwrap();
        let crc = packed.len() - 8;
        packed[crc] ^= 1;
        for bytes in [&b""[..], b"this is not gzip", &packed] {
            let result = Gzip::default().decompress(bytes, 100);
            assert!(matches!(result, Err(CompressionError::Failed(_))), "{result:?}");
        }
    }

    #[test]
    fn an_unknown_number_is_unsupported() {
        let id = Compression::from_id(5);
        let result = Compressors::default().decompress(id, b"x", 10);
        assert_eq!(result, Err(CompressionError::Unsupported(id)));
    }
}
