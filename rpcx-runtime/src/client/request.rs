//! What a call says: its method, its arguments and its options, and the message made of them.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::selector::{KeySource, key_of_call};
use super::settings::ChannelSettings;
use crate::arguments::Arguments;
use crate::codec::CodecError;
use crate::error::{Error, Result};
use crate::governance::Governance;
use crate::metadata::{Metadata, reserved};
use crate::method::MethodInfo;
use crate::protocol::{COMPRESS_ABOVE, Compression, Header, Output, Peer, SerializeType};

/// What a caller said about one call.
#[derive(Clone, Debug)]
pub(super) struct CallOptions {
    pub(super) timeout: Option<Duration>,
    /// The end of the call that this one is made for.
    pub(super) deadline: Option<Instant>,
    pub(super) metadata: Metadata,
    pub(super) serialize_type: Option<SerializeType>,
    pub(super) compression: Option<Compression>,
    pub(super) oneway: bool,
    /// What few calls say.
    rare: Option<Box<Rare>>,
}

/// What few calls say: on the heap, so that the others are small.
#[derive(Clone, Debug, Default)]
pub(super) struct Rare {
    pub(super) governance: Governance,
    pub(super) hash_key: Option<u64>,
}

impl CallOptions {
    pub(super) const fn new() -> Self {
        Self {
            timeout: None,
            deadline: None,
            metadata: Metadata::new(),
            serialize_type: None,
            compression: None,
            oneway: false,
            rare: None,
        }
    }

    /// Gives what few calls say, to say it.
    pub(super) fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }
}

/// What a call says, whichever server it goes to.
#[derive(Clone)]
pub(super) struct Request<A> {
    pub(super) info: &'static MethodInfo,
    pub(super) arguments: A,
    pub(super) options: CallOptions,
}

impl<A> Request<A> {
    pub(super) fn is_oneway(&self) -> bool {
        self.options.oneway || self.info.is_oneway()
    }

    pub(super) fn service<'a>(&'a self, settings: &'a ChannelSettings) -> &'a str {
        settings.service.as_deref().unwrap_or(self.info.service_path())
    }

    /// Gives how the call copes with failures: what it says itself, then the builder, then the trait.
    pub(super) fn governance(&self, settings: &ChannelSettings) -> Governance {
        let own = self.options.rare.as_ref().map(|rare| rare.governance).unwrap_or_default();
        own.or(&settings.governance).or(self.info.governance())
    }

    /// Gives one part of the [`governance`](Self::governance).
    #[inline]
    pub(super) fn governed<T>(
        &self,
        settings: &ChannelSettings,
        part: impl Fn(&Governance) -> Option<T>,
    ) -> Option<T> {
        let own = self.options.rare.as_ref().and_then(|rare| part(&rare.governance));
        own.or_else(|| part(&settings.governance)).or_else(|| part(self.info.governance()))
    }

    /// Gives the time that the call has from now on.
    pub(super) fn time(&self, settings: &ChannelSettings) -> Option<Duration> {
        let own = self.options.timeout.or(settings.timeout).or(self.info.call_timeout());
        let inherited = self.options.deadline;
        let inherited = inherited.map(|end| end.saturating_duration_since(Instant::now()));
        own.into_iter().chain(inherited).min()
    }

    pub(super) fn serialize_type(&self, settings: &ChannelSettings) -> SerializeType {
        let given = self.options.serialize_type.or(settings.serialize_type);
        given.unwrap_or(self.info.serialize_type())
    }

    fn compression(&self, settings: &ChannelSettings) -> Compression {
        let given = self.options.compression.or(settings.compression);
        given.unwrap_or(self.info.call_compression())
    }
}

impl<A: Arguments> Request<A> {
    /// Encodes the arguments, for a call that outlives them or is made more than once.
    pub(super) fn encoded(&self, settings: &ChannelSettings) -> Result<Request<Encoded>> {
        let serialize_type = self.serialize_type(settings);
        let arguments = Encoded::new(&self.arguments, self.info, serialize_type);
        let arguments = arguments.map_err(Error::Encode)?;
        let options = CallOptions { serialize_type: Some(serialize_type), ..self.options.clone() };
        Ok(Request { info: self.info, arguments, options })
    }

    /// Compresses the arguments if that was asked for and they are large enough.
    pub(super) fn compress(&self, settings: &ChannelSettings) -> Result<Option<Vec<u8>>> {
        let compression = self.compression(settings);
        if compression == Compression::NONE {
            return Ok(None);
        }
        let mut payload = Vec::new();
        let serialize_type = self.serialize_type(settings);
        self.arguments.encode(serialize_type, &mut payload).map_err(Error::Encode)?;
        if payload.len() <= COMPRESS_ABOVE {
            return Ok(None);
        }
        let packed = settings.messages.compressors.compress(compression, &payload);
        packed.map(Some).map_err(|error| Error::Encode(CodecError::Encode(error.to_string())))
    }

    /// Appends the message to `out`; `left` is the time that the server is told.
    pub(super) fn write(
        &self,
        settings: &ChannelSettings,
        seq: u64,
        left: Option<Duration>,
        compressed: Option<&[u8]>,
        out: &mut Output,
    ) -> Result<()> {
        let serialize_type = self.serialize_type(settings);
        let mut header = Header::request(seq, serialize_type).with_peer(Peer::Client);
        if self.is_oneway() {
            header = header.with_oneway();
        }
        let attached = match compressed {
            Some(_) => {
                header = header.with_compression(self.compression(settings));
                None
            }
            None => self.arguments.bytes(serialize_type).filter(|bytes| bytes.len() >= ATTACH),
        };
        // Rounded up: the server is not to give up before the caller does.
        let milliseconds = left.map(|left| left.as_nanos().div_ceil(1_000_000).to_string());
        let timeout = milliseconds.as_deref().map(|value| (reserved::SERVER_TIMEOUT, value));
        let auth = settings.auth.as_ref().map(|token| (reserved::AUTH, token.0.as_str()));
        let pairs = self.options.metadata.iter().chain(auth).chain(timeout);
        if !self.options.metadata.is_empty() {
            let limits = &settings.messages.limits;
            let checked = limits.check_metadata(pairs.clone().map(|(key, _)| key));
            checked.map_err(|why| Error::Metadata { why })?;
        }
        let len = out.frame_with(
            header,
            self.service(settings).as_bytes(),
            self.info.name().as_bytes(),
            pairs.map(|(key, value)| (key.as_bytes(), value.as_bytes())),
            |out| match (compressed, &attached) {
                (Some(packed), _) => {
                    out.extend_from_slice(packed);
                    Ok(())
                }
                (None, Some(_)) => Ok(()),
                (None, None) => self.arguments.encode(serialize_type, out).map_err(Error::Encode),
            },
        )?;
        let size = len + attached.as_ref().map_or(0, Bytes::len) - Header::LEN - 4;
        let limit = settings.messages.limits.message();
        if size > limit {
            out.retract(len);
            return Err(Error::TooLarge { size, limit });
        }
        if let Some(payload) = attached {
            out.attach(len, payload);
        }
        Ok(())
    }
}

/// The key of a call, worked out when a selector asks for it.
pub(super) struct CallKey<'a, A> {
    pub(super) request: &'a Request<A>,
    pub(super) settings: &'a ChannelSettings,
}

impl<A: Arguments> KeySource for CallKey<'_, A> {
    /// Arguments that cannot be encoded count as none: the attempt will say what is wrong with them.
    fn key(&self) -> u64 {
        let Request { info, arguments, options } = self.request;
        if let Some(key) = options.rare.as_ref().and_then(|rare| rare.hash_key) {
            return key;
        }
        let serialize_type = self.request.serialize_type(self.settings);
        let mut bytes = Vec::new();
        if let Some(marked) = info.hash_argument() {
            let _ = arguments.encode_part(marked, serialize_type, &mut bytes);
            return key_of_call(&[], &bytes);
        }
        match arguments.bytes(serialize_type) {
            Some(payload) => bytes.extend_from_slice(&payload),
            None => drop(arguments.encode(serialize_type, &mut bytes)),
        }
        key_of_call(&[self.request.service(self.settings), info.name()], &bytes)
    }
}

/// Arguments that are encoded already.
#[derive(Clone, Debug)]
pub(super) struct Encoded {
    payload: Bytes,
    /// The argument that is the key of the call, if one is marked.
    key: Option<Bytes>,
}

impl Encoded {
    fn new(
        arguments: &impl Arguments,
        info: &MethodInfo,
        serialize_type: SerializeType,
    ) -> Result<Self, CodecError> {
        let key = info.hash_argument().map(|marked| {
            let mut key = Vec::new();
            arguments.encode_part(marked, serialize_type, &mut key).map(|()| key.into())
        });
        let key = key.transpose()?;
        if let Some(payload) = arguments.bytes(serialize_type) {
            return Ok(Self { payload, key });
        }
        let mut payload = Vec::new();
        arguments.encode(serialize_type, &mut payload)?;
        Ok(Self { payload: payload.into(), key })
    }
}

impl Encoded {
    pub(super) fn payload(&self) -> Bytes {
        self.payload.clone()
    }

    pub(super) fn with_payload(self, payload: Bytes) -> Self {
        Self { payload, ..self }
    }
}

impl Arguments for Encoded {
    fn encode(&self, _: SerializeType, out: &mut Vec<u8>) -> Result<(), CodecError> {
        out.extend_from_slice(&self.payload);
        Ok(())
    }

    fn encode_part(&self, _: usize, _: SerializeType, out: &mut Vec<u8>) -> Result<(), CodecError> {
        out.extend_from_slice(self.key.as_ref().unwrap_or(&self.payload));
        Ok(())
    }

    fn bytes(&self, _: SerializeType) -> Option<Bytes> {
        Some(self.payload.clone())
    }
}

/// A payload of raw bytes from this size on is not copied.
const ATTACH: usize = 16 << 10;
