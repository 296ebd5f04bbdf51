//! A request, as interceptors of the server see it.

use std::fmt;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::time::Instant;

use super::{ConnectionInfo, Outgoing, Rejection};
use crate::capture::{Answer, Beside};
use crate::context::{Intercepted, visible};
use crate::extensions::Extensions;
use crate::metadata::Metadata;
use crate::outlet::Outlet as _;
use crate::protocol::{
    Compression, CompressionError, Decoded, Limits, Message, Output, SerializeType,
};
use crate::server::link::Link;
use crate::service::{DEADLINE_EXCEEDED, Request, Slot, contain_panic};

/// A request that came in. Clones share the [`extensions`](Self::extensions).
///
/// Nothing of it is decompressed or decoded before it is asked for.
#[derive(Clone)]
pub struct Incoming {
    link: Arc<Link>,
    message: Message,
    deadline: Option<Instant>,
    /// In place of the message's, where those are no text or were replaced.
    names: Option<(String, String)>,
    metadata: OnceLock<Metadata>,
    /// In place of the message's: decompressed, or replaced.
    payload: Option<Bytes>,
    extensions: Extensions,
}

impl Incoming {
    pub(in crate::server) fn new(request: &Request, link: Arc<Link>) -> Self {
        let message = request.message().clone();
        let (service, method) = (message.service_path(), message.service_method());
        let is_text = std::str::from_utf8(service).is_ok() && std::str::from_utf8(method).is_ok();
        let lossy = |name| String::from_utf8_lossy(name).into_owned();
        let names = (!is_text).then(|| (lossy(service), lossy(method)));
        Self {
            link,
            deadline: request.context().deadline(),
            names,
            metadata: OnceLock::new(),
            payload: None,
            extensions: Extensions::default(),
            message,
        }
    }

    /// Gives the name of the service that is called.
    pub fn service(&self) -> &str {
        match &self.names {
            Some((service, _)) => service,
            None => std::str::from_utf8(self.message.service_path()).unwrap_or_default(),
        }
    }

    /// Gives the name of the method that is called.
    pub fn method(&self) -> &str {
        match &self.names {
            Some((_, method)) => method,
            None => std::str::from_utf8(self.message.service_method()).unwrap_or_default(),
        }
    }

    /// Lets another method serve the call. The caller does not notice, and the handler's
    /// [`Context`](crate::Context) has the names that the caller used.
    pub fn redirect(&mut self, service: impl Into<String>, method: impl Into<String>) {
        self.names = Some((service.into(), method.into()));
    }

    /// Gives the names that the service was added under and its method is declared by, whatever alias it
    /// is called by; `None` if the server has no such method.
    ///
    /// There are only so many of these, while a client may call whatever it likes: use them, not
    /// [`service`](Self::service) and [`method`](Self::method), as labels and as keys of tables.
    pub fn target(&self) -> Option<(&str, &str)> {
        let router = &self.link.parts().router;
        router.names(self.service().as_bytes(), self.method().as_bytes())
    }

    /// Gives the metadata, without the keys that rpcx uses itself.
    pub fn metadata(&self) -> &Metadata {
        self.metadata.get_or_init(|| visible(&self.message))
    }

    /// Gives the metadata to change what the handler sees of them.
    #[expect(clippy::missing_panics_doc, reason = "it never does")]
    pub fn metadata_mut(&mut self) -> &mut Metadata {
        if self.metadata.get().is_none() {
            self.metadata = visible(&self.message).into();
        }
        self.metadata.get_mut().expect("it was set just now")
    }

    /// Gives the encoded arguments, decompressed.
    ///
    /// The first time, a compressed payload is decompressed and copied: an interceptor that does not look
    /// at it leaves that to after it.
    ///
    /// # Errors
    ///
    /// The payload cannot be decompressed, or is larger then than the server's
    /// [limit](crate::protocol::Limits::max_decompressed). The call would be answered with this text.
    pub fn payload(&mut self) -> Result<Bytes, CompressionError> {
        if let Some(payload) = &self.payload {
            return Ok(payload.clone());
        }
        let payload = self.message.payload();
        let compression = self.message.header().compression();
        if compression == Compression::NONE {
            return Ok(payload);
        }
        let settings = self.link.settings();
        let limit = settings.limits.decompressed();
        let plain = settings.compressors.decompress(compression, &payload, limit)?;
        Ok(self.payload.insert(plain.into()).clone())
    }

    /// Replaces the encoded arguments.
    pub fn set_payload(&mut self, payload: impl Into<Bytes>) {
        self.payload = Some(payload.into());
    }

    /// Gives the number of bytes of the payload as it came: it may be compressed.
    pub fn payload_len(&self) -> usize {
        self.message.payload().len()
    }

    /// Gives the codec that the arguments are encoded in, and the reply is to be.
    pub fn serialize_type(&self) -> SerializeType {
        self.message.header().serialize_type()
    }

    /// Tells whether nobody waits for an answer: none is sent then, whatever it is.
    pub fn is_oneway(&self) -> bool {
        self.message.header().is_oneway()
    }

    /// Gives the time at which the caller stops waiting. The call is dropped then, at the latest.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Gives the time that is left until the [`deadline`](Self::deadline).
    pub fn remaining(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// Gives the connection that the call came on.
    pub fn connection(&self) -> &ConnectionInfo {
        self.link.connection()
    }

    /// Gives the caller's address; `None` unless the call came over TCP.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.connection().peer()
    }

    /// Gives what interceptors of this call and its handler tell each other: the handler finds them in
    /// [`Context::extensions`](crate::Context::extensions).
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// Answers in the handler's place; `payload` is the encoded reply.
    ///
    /// [`codec::encode`](crate::codec::encode) makes one, for [`serialize_type`](Self::serialize_type).
    pub fn answer(&self, payload: impl Into<Bytes>) -> Outgoing {
        Outgoing::new(Answer { metadata: Metadata::new(), result: Ok(payload.into()) })
    }

    /// Lets the service answer.
    pub(super) async fn serve(self) -> Result<Outgoing, Rejection> {
        let deadline = self.deadline;
        let beside = Arc::new(Beside::capturing(self.extensions.clone()));
        let mut slot = Slot::default();
        // Decoding runs the argument's `Deserialize`, and perhaps a compressor of the user's.
        let started = contain_panic(|| self.start(Arc::clone(&beside), &mut slot));
        if started.unwrap_or_default() {
            // The method asks for a task of its own; this may still be the connection's.
            tokio::task::yield_now().await;
        }
        let run = poll_fn(|cx| slot.poll(cx));
        match deadline {
            None => run.await,
            Some(deadline) => {
                let _ = tokio::time::timeout_at(deadline, run).await;
            }
        }
        // One that is not finished answers as it is dropped.
        drop(slot);
        let answer = beside.take();
        match answer.result {
            Err(failure) if failure.refused => {
                Err(Rejection::not_executed(failure.text).with_all(answer.metadata))
            }
            _ => Ok(Outgoing::new(answer)),
        }
    }

    /// Lets the service start, unless the caller has stopped waiting already.
    fn start(self, beside: Arc<Beside>, slot: &mut Slot) -> bool {
        let Self { link, message, deadline, names, metadata, payload, extensions } = self;
        let message = match payload {
            Some(payload) => with_payload(&message, &payload),
            None => message,
        };
        let metadata = metadata.into_inner();
        let parts = Intercepted { message, deadline, metadata, beside };
        let request = Request::intercepted(parts, Arc::clone(&link) as _);
        if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            request.refuse(DEADLINE_EXCEEDED);
            return false;
        }
        extensions.note_begun();
        let router = &link.parts().router;
        match &names {
            Some((service, method)) => router.start_as((service, method), request, slot),
            None => router.start(request, slot),
        }
    }
}

/// Writes a message with another payload, which is not compressed.
fn with_payload(message: &Message, payload: &[u8]) -> Message {
    let header = message.header().with_compression(Compression::NONE);
    let mut output = Output::new();
    let (path, method) = (message.service_path(), message.service_method());
    output.frame(header, path, method, message.pairs(), payload);
    let mut frame = BytesMut::from(&*output.to_vec());
    let limits = Limits::default().max_message(usize::MAX).max_name(usize::MAX);
    match Message::decode(&mut frame, &limits.max_metadata_pairs(usize::MAX)) {
        Ok(Decoded::Message(message)) => message,
        // More than a message can hold: then it has none, and decoding says so.
        Ok(Decoded::Incomplete(_)) | Err(_) => Message::default(),
    }
}

impl fmt::Debug for Incoming {
    /// Leaves metadata and payload out: they may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming")
            .field("service", &self.service())
            .field("method", &self.method())
            .field("peer", &self.peer())
            .field("oneway", &self.is_oneway())
            .finish_non_exhaustive()
    }
}
