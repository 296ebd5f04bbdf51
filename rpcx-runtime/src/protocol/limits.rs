//! How large a message may be.

/// How large a message may be before it is refused.
///
/// All limits are finite by default. Each side has its own; nothing is negotiated.
#[derive(Clone, Debug)]
pub struct Limits {
    message: usize,
    decompressed: usize,
    metadata_pairs: usize,
    name: usize,
}

impl Limits {
    /// Sets the largest message, in bytes after the first 16; the default is 16 MiB + 64 KiB, so
    /// that a payload of 16 MiB passes. Lengths on the wire are `u32`, more than that has no effect.
    #[must_use]
    pub fn max_message(mut self, bytes: usize) -> Self {
        self.message = bytes.min(u32::MAX as usize);
        self
    }

    /// Sets the largest payload after decompression, in bytes; the default is 16 MiB.
    #[must_use]
    pub fn max_decompressed(mut self, bytes: usize) -> Self {
        self.decompressed = bytes;
        self
    }

    /// Sets the largest number of metadata pairs; the default is 256.
    #[must_use]
    pub fn max_metadata_pairs(mut self, pairs: usize) -> Self {
        self.metadata_pairs = pairs;
        self
    }

    /// Sets the longest service path, method name and metadata key, in bytes; the default is 1 KiB.
    #[must_use]
    pub fn max_name(mut self, bytes: usize) -> Self {
        self.name = bytes;
        self
    }

    pub(crate) fn message(&self) -> usize {
        self.message
    }

    pub(crate) fn decompressed(&self) -> usize {
        self.decompressed
    }

    pub(crate) fn metadata_pairs(&self) -> usize {
        self.metadata_pairs
    }

    /// Says what is wrong with metadata that is to be sent, so that no peer has to.
    pub(crate) fn check_metadata<'a>(
        &self,
        keys: impl Iterator<Item = &'a str>,
    ) -> Result<(), String> {
        let mut pairs = 0;
        for key in keys {
            pairs += 1;
            if key.len() > self.name {
                let (size, limit) = (key.len(), self.name);
                return Err(format!("a metadata key has {size} bytes, the limit is {limit}"));
            }
        }
        if pairs > self.metadata_pairs {
            let limit = self.metadata_pairs;
            return Err(format!("there are {pairs} metadata pairs, the limit is {limit}"));
        }
        Ok(())
    }

    pub(crate) fn name(&self) -> usize {
        self.name
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message: (16 << 20) + (64 << 10),
            decompressed: 16 << 20,
            metadata_pairs: 256,
            name: 1 << 10,
        }
    }
}
