//! What a handler knows about the call that it serves.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use crate::capture::{Answer, Beside, Failure};
use crate::extensions::Extensions;
use crate::metadata::{Metadata, reserved};
use crate::outlet::Outlet;
use crate::protocol::{Header, Message, SerializeType};
#[cfg(feature = "tls")]
use crate::tls::PeerIdentity;
use crate::trace_context::TraceContext;

/// What a handler knows about the call that it serves, and what it sends back beside the reply.
///
/// A method gets it by taking `&rpcx::Context` as its first parameter after `&self`. Handlers can
/// be tested without a server: `Context::default()` has no metadata, no deadline and no peer.
#[derive(Default)]
pub struct Context {
    message: Message,
    deadline: Option<Instant>,
    outlet: Option<Arc<dyn Outlet>>,
    metadata: OnceLock<Metadata>,
    response: Mutex<Metadata>,
    beside: OnceLock<Arc<Beside>>,
}

/// What interceptors made of a request.
pub(crate) struct Intercepted {
    pub(crate) message: Message,
    pub(crate) deadline: Option<Instant>,
    /// `None`: as the message says.
    pub(crate) metadata: Option<Metadata>,
    pub(crate) beside: Arc<Beside>,
}

impl Context {
    pub(crate) fn new(
        message: Message,
        deadline: Option<Instant>,
        outlet: Arc<dyn Outlet>,
    ) -> Self {
        Self { message, deadline, outlet: Some(outlet), ..Self::default() }
    }

    /// Makes the context of a handler whose answer interceptors see.
    pub(crate) fn intercepted(parts: Intercepted, outlet: Arc<dyn Outlet>) -> Self {
        Self {
            message: parts.message,
            deadline: parts.deadline,
            outlet: Some(outlet),
            metadata: parts.metadata.map(OnceLock::from).unwrap_or_default(),
            response: Mutex::default(),
            beside: parts.beside.into(),
        }
    }

    /// Makes another context of the same call, for a handler that owns its own.
    pub(crate) fn share(&self) -> Self {
        Self {
            message: self.message.clone(),
            deadline: self.deadline,
            outlet: self.outlet.clone(),
            metadata: self.metadata.clone(),
            response: Mutex::default(),
            beside: Arc::new(Beside::new(self.extensions().clone())).into(),
        }
    }

    /// Takes what was to be sent beside the answer.
    pub(crate) fn take_response(&self) -> Metadata {
        std::mem::take(&mut *self.response.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces what is to be sent beside the answer.
    pub(crate) fn set_response(&mut self, metadata: Metadata) {
        *self.response.get_mut().unwrap_or_else(PoisonError::into_inner) = metadata;
    }

    /// Tells whether the answer goes to interceptors first.
    pub(crate) fn is_captured(&self) -> bool {
        self.beside.get().is_some_and(|beside| beside.is_capturing())
    }

    /// Gives interceptors the answer.
    pub(crate) fn put(&self, result: Result<Bytes, Failure>) {
        if let Some(beside) = self.beside.get() {
            beside.put(Answer { metadata: self.take_response(), result });
        }
    }

    /// Gives the metadata of the request, without the keys that rpcx uses itself (`__AUTH`,
    /// `__ServerTimeout`).
    pub fn metadata(&self) -> &Metadata {
        self.metadata.get_or_init(|| visible(&self.message))
    }

    /// Gives what the server's [interceptors](crate::server::interceptor) and the handler of this call tell
    /// each other.
    pub fn extensions(&self) -> &Extensions {
        &self.beside.get_or_init(Arc::default).extensions
    }

    /// Gives the place of this call in a distributed trace, if the server has a
    /// [`Tracing`](crate::server::interceptor::Tracing).
    pub fn trace_context(&self) -> Option<TraceContext> {
        self.beside.get()?.extensions.get()
    }

    /// Gives the codec of the request, which is also that of the reply.
    pub fn serialize_type(&self) -> SerializeType {
        self.message.header().serialize_type()
    }

    /// Adds a pair to the metadata of the response, whether a reply or an error.
    ///
    /// The keys `__rpcx_error__` and `__rpcx_not_executed` are rpcx's own: values set for them are not sent.
    pub fn set_response_metadata(&self, key: impl Into<String>, value: impl Into<String>) {
        let mut metadata = self.response.lock().unwrap_or_else(PoisonError::into_inner);
        metadata.insert(key, value);
    }

    /// Gives the time at which the caller stops waiting.
    ///
    /// The server drops the handler's future then and answers `context deadline exceeded`. Calls
    /// that the handler makes itself end no later if they are made through the service's trait, or
    /// with [`Call::inherit`](crate::client::Call::inherit).
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Gives the time that is left until the [`deadline`](Self::deadline).
    pub fn remaining(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// Gives the caller's address; `None` unless the call came over TCP.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.outlet.as_ref()?.peer()
    }

    /// Gives who the caller has proved to be: its certificate, if the server asks for one and this client has
    /// shown one. Needs the feature `tls`.
    #[cfg(feature = "tls")]
    pub fn peer_identity(&self) -> Option<&PeerIdentity> {
        self.outlet.as_ref()?.peer_identity()
    }

    /// Gives the name under which the service was called.
    pub fn service_path(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(self.message.service_path())
    }

    /// Gives the name under which the method was called.
    pub fn service_method(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(self.message.service_method())
    }

    /// Gives a sender of messages to the caller's connection; `None` in a context of a test.
    pub fn pusher(&self) -> Option<Pusher> {
        self.outlet.clone().map(|outlet| Pusher { outlet })
    }

    pub(crate) fn message(&self) -> &Message {
        &self.message
    }

    /// Keeps names and metadata only, if the payload is large: it was decoded.
    pub(crate) fn forget_large_payload(&mut self) {
        self.message = std::mem::take(&mut self.message).without_large_payload();
    }

    pub(crate) fn outlet(&self) -> Option<&Arc<dyn Outlet>> {
        self.outlet.as_ref()
    }

    /// Gives what an answer is made of. Nobody else has the context by then: no lock is taken.
    pub(crate) fn parts(&mut self) -> (&Message, Option<&Arc<dyn Outlet>>, &mut Metadata) {
        let metadata = self.response.get_mut().unwrap_or_else(PoisonError::into_inner);
        (&self.message, self.outlet.as_ref(), metadata)
    }
}

/// Gives the metadata of a request that are the caller's own.
pub(crate) fn visible(request: &Message) -> Metadata {
    let mut metadata = request.metadata();
    metadata.remove(reserved::AUTH);
    metadata.remove(reserved::SERVER_TIMEOUT);
    metadata
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("message", &self.message)
            .field("deadline", &self.deadline)
            .field("peer", &self.peer())
            .finish_non_exhaustive()
    }
}

/// Sends messages to one client's connection, without being asked.
///
/// Clones send to the same connection. It may outlive the call that it came from; it keeps nothing
/// but the connection's queue alive.
#[derive(Clone)]
pub struct Pusher {
    outlet: Arc<dyn Outlet>,
}

impl Pusher {
    /// Queues a message; a Go client gets it on the channel of `RegisterServerMessageChan`, ours in
    /// the handler of [`on_push`](crate::client::ClientBuilder::on_push).
    ///
    /// Messages arrive in the order in which they were sent, each at most once.
    ///
    /// # Errors
    ///
    /// [`PushError`]: the connection is closed, its queue is full, or the message is too long.
    pub fn send(
        &self,
        service_path: &str,
        service_method: &str,
        metadata: &Metadata,
        payload: impl Into<Bytes>,
    ) -> Result<(), PushError> {
        let payload = payload.into();
        let pairs = || metadata.iter().map(|(key, value)| (key.as_bytes(), value.as_bytes()));
        // Four fields, each behind a length.
        let fields = 4 * 4 + service_path.len() + service_method.len() + payload.len();
        let size = pairs().fold(fields, |sum, (k, v)| sum + 8 + k.len() + v.len());
        if size > self.outlet.settings().limits.message() {
            return Err(PushError::TooLarge);
        }
        let names = [service_path, service_method].map(str::len);
        let limits = &self.outlet.settings().limits;
        if names.into_iter().any(|len| len > limits.name())
            || limits.check_metadata(metadata.iter().map(|(key, _)| key)).is_err()
        {
            return Err(PushError::TooLarge);
        }
        if self.outlet.queued() > PUSH_QUEUE {
            return Err(PushError::QueueFull);
        }
        let header = Header::push(self.outlet.next_push());
        let open = self.outlet.write(&mut |out| {
            out.frame(
                header,
                service_path.as_bytes(),
                service_method.as_bytes(),
                pairs(),
                &payload,
            );
        });
        if open { Ok(()) } else { Err(PushError::Closed) }
    }
}

impl fmt::Debug for Pusher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pusher").field("peer", &self.outlet.peer()).finish_non_exhaustive()
    }
}

/// Why a message was not pushed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum PushError {
    /// The connection is closed.
    Closed,
    /// More than 4 MiB wait for the client to read them.
    QueueFull,
    /// The message, its names or its metadata are more than the server's limits allow.
    TooLarge,
}

impl fmt::Display for PushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "the client's connection is closed",
            Self::QueueFull => "more than 4 MiB wait for the client to read them",
            Self::TooLarge => "the message is more than the server's limits allow",
        })
    }
}

impl std::error::Error for PushError {}

/// How much may wait for a client before a push is refused, in bytes.
const PUSH_QUEUE: usize = 4 << 20;
