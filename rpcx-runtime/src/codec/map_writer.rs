//! A map written entry by entry, for values whose fields are not one Rust type.

use super::CodecError;
use crate::protocol::SerializeType;

/// Writes a map of named values, as [`encode`](super::encode) writes a struct of these fields.
///
/// Unless [`end`](Self::end) is called, what was written is taken back.
#[derive(Debug)]
pub(crate) struct MapWriter<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
    form: Form,
    ended: bool,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Msgpack,
    #[cfg(feature = "json")]
    Json {
        first: bool,
    },
}

impl<'a> MapWriter<'a> {
    /// Begins a map of `count` entries.
    ///
    /// # Errors
    ///
    /// [`CodecError::Unsupported`] or [`CodecError::Unknown`] if the codec has no maps.
    pub(crate) fn begin(
        serialize_type: SerializeType,
        count: u16,
        out: &'a mut Vec<u8>,
    ) -> Result<Self, CodecError> {
        let start = out.len();
        let form = match serialize_type {
            SerializeType::MSGPACK => {
                if count < 16 {
                    out.push(0x80 | count.to_be_bytes()[1]);
                } else {
                    out.push(0xde);
                    out.extend(count.to_be_bytes());
                }
                Form::Msgpack
            }
            #[cfg(feature = "json")]
            SerializeType::JSON => {
                out.push(b'{');
                Form::Json { first: true }
            }
            SerializeType::RAW => {
                return Err(CodecError::Unsupported {
                    type_name: "several parameters",
                    serialize_type,
                });
            }
            _ => return Err(super::not_serde::<Self>(serialize_type)),
        };
        Ok(Self { out, start, form, ended: false })
    }

    /// Writes one entry, whose value `write` appends.
    ///
    /// # Errors
    ///
    /// Those of `write`.
    pub(crate) fn entry(
        &mut self,
        name: &str,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), CodecError>,
    ) -> Result<(), CodecError> {
        match &mut self.form {
            Form::Msgpack => super::msgpack::encode(name, self.out)?,
            #[cfg(feature = "json")]
            Form::Json { first } => {
                if !std::mem::take(first) {
                    self.out.push(b',');
                }
                super::json::encode(name, self.out)?;
                self.out.push(b':');
            }
        }
        write(self.out)
    }

    /// Ends the map after its last entry.
    pub(crate) fn end(mut self) {
        match self.form {
            Form::Msgpack => {}
            #[cfg(feature = "json")]
            Form::Json { .. } => self.out.push(b'}'),
        }
        self.ended = true;
    }
}

impl Drop for MapWriter<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.out.truncate(self.start);
        }
    }
}
