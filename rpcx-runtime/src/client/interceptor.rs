//! What wraps calls and attempts on the client's side.
//!
//! An [`Interceptor`] sees a call before it is made and after it is over, and each of its attempts
//! likewise. What it keeps in its own variables between the two is the state that both share.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::address::Address;
use crate::error::{Error, Result};
use crate::extensions::Extensions;
use crate::metadata::{Metadata, reserved};
use crate::method::MethodInfo;
use crate::protocol::{Decoded, Header, Limits, Message, Output, SerializeType, Status};
use crate::service::contain_panic;

/// Wraps calls, attempts, or both; it also hears of connections.
///
/// A panic around a call or an attempt is the caller's; one at the news of a connection is logged.
///
/// The interceptors of a channel are nested: the one that was given to the builder first is the outermost.
///
/// A channel with interceptors encodes the arguments of a call once, before the first of them sees it, and
/// makes the call in a future of its own. Without interceptors none of that is paid for.
///
/// ```
/// use std::time::Instant;
/// use rpcx::client::interceptor::{Incoming, Interceptor, Next, Outgoing};
///
/// /// Says how long each call took.
/// struct Timing;
///
/// impl Interceptor for Timing {
///     async fn call(&self, mut request: Outgoing, next: Next<'_>) -> rpcx::Result<Incoming> {
///         request.metadata_mut().insert("caller", "billing");
///         let (method, begun) = (request.method().to_owned(), Instant::now());
///         let reply = next.run(request).await;
///         println!("{method} took {:?}", begun.elapsed());
///         reply
///     }
/// }
///
/// # use rpcx::Client as _;
/// let builder = rpcx::client::Channel::builder().interceptor(Timing);
/// ```
pub trait Interceptor: Send + Sync + 'static {
    /// Wraps a whole call, all of its attempts included.
    ///
    /// It may change the request, look at the reply, or fail without going on. Dropping the call drops
    /// this future at its `await`.
    ///
    /// # Errors
    ///
    /// What the call fails with. An answer with the service's own error is no error here: see
    /// [`Incoming::error`].
    fn call(
        &self,
        request: Outgoing,
        next: Next<'_>,
    ) -> impl Future<Output = Result<Incoming>> + Send {
        next.run(request)
    }

    /// Wraps one attempt: [`Outgoing::address`] is the server that was chosen for it.
    ///
    /// # Errors
    ///
    /// What the attempt fails with. Whether another is made is decided as for any attempt, by the
    /// variant: one that says that nothing ran may be repeated.
    fn attempt(
        &self,
        request: Outgoing,
        next: Next<'_>,
    ) -> impl Future<Output = Result<Incoming>> + Send {
        next.run(request)
    }

    /// Hears that a connection was opened. It must not block.
    fn connected(&self, _server: &Address) {}

    /// Hears that a connection could not be opened. It must not block.
    fn connect_failed(&self, _server: &Address, _error: &Error) {}

    /// Hears that a connection ended, whoever ended it. It must not block.
    fn disconnected(&self, _server: &Address) {}
}

/// A request on its way out. Clones share the [`extensions`](Self::extensions).
#[derive(Clone)]
pub struct Outgoing {
    pub(super) info: &'static MethodInfo,
    pub(super) service: String,
    pub(super) metadata: Metadata,
    pub(super) payload: Bytes,
    pub(super) serialize_type: SerializeType,
    pub(super) address: Option<Address>,
    pub(super) attempt: u32,
    pub(super) extensions: Extensions,
}

impl Outgoing {
    /// Gives the wire name of the service.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// Gives the wire name of the method.
    pub fn method(&self) -> &'static str {
        self.info.name()
    }

    /// Tells whether the method is declared idempotent.
    pub fn is_idempotent(&self) -> bool {
        self.info.is_idempotent()
    }

    /// Gives the metadata that the caller set, without rpcx's own keys.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Gives the metadata to change it: around a call for all attempts, around an attempt for that one.
    pub fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.metadata
    }

    /// Gives the encoded arguments, before compression.
    pub fn payload(&self) -> &Bytes {
        &self.payload
    }

    /// Replaces the encoded arguments.
    pub fn set_payload(&mut self, payload: impl Into<Bytes>) {
        self.payload = payload.into();
    }

    /// Gives the codec that the arguments are encoded in.
    pub fn serialize_type(&self) -> SerializeType {
        self.serialize_type
    }

    /// Gives the server of the attempt; `None` around a call.
    pub fn address(&self) -> Option<&Address> {
        self.address.as_ref()
    }

    /// Gives the number of the attempt, from 1; 0 around a call.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Gives what interceptors of this call tell each other.
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// Answers in the server's place; `payload` is the encoded reply.
    ///
    /// [`codec::encode`](crate::codec::encode) makes one, for [`serialize_type`](Self::serialize_type).
    pub fn answer(&self, payload: impl AsRef<[u8]>) -> Incoming {
        let header = Header::request(0, self.serialize_type).response(Status::Normal);
        let mut output = Output::new();
        output.frame(header, b"", b"", [], payload.as_ref());
        let mut frame = BytesMut::from(&*output.to_vec());
        let message = match Message::decode(&mut frame, &Limits::default().max_message(usize::MAX))
        {
            Ok(Decoded::Message(message)) => Some(message),
            // More than a message can hold.
            Ok(Decoded::Incomplete(_)) | Err(_) => None,
        };
        Incoming { message, address: None }
    }
}

impl fmt::Debug for Outgoing {
    /// Leaves metadata and payload out: they may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("service", &self.service)
            .field("method", &self.method())
            .field("address", &self.address)
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}

/// What came back.
pub struct Incoming {
    pub(super) message: Option<Message>,
    pub(super) address: Option<Address>,
}

impl Incoming {
    /// Gives the server that answered; `None` if an interceptor answered in its place.
    pub fn address(&self) -> Option<&Address> {
        self.address.as_ref()
    }

    /// Gives the metadata of the response, without rpcx's own keys.
    pub fn metadata(&self) -> Metadata {
        let message = self.message.as_ref();
        message.map(|message| message.metadata().without_own_keys()).unwrap_or_default()
    }

    /// Gives the text of the service's error, if it answered with one.
    pub fn error(&self) -> Option<String> {
        let message = self.message.as_ref()?;
        if message.header().status() != Status::Error {
            return None;
        }
        let text = message.metadata_value(reserved::ERROR).unwrap_or_default();
        Some(String::from_utf8_lossy(text).into_owned())
    }

    /// Gives the encoded reply, as it came: it may be compressed. Empty after a one-way call.
    pub fn payload(&self) -> Bytes {
        self.message.as_ref().map(Message::payload).unwrap_or_default()
    }
}

impl fmt::Debug for Incoming {
    /// Leaves metadata and payload out: they may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("address", &self.address).finish_non_exhaustive()
    }
}

/// What comes after an interceptor: the next one, and at last the call or the attempt itself.
#[derive(Clone, Copy)]
pub struct Next<'a> {
    pub(super) rest: &'a [Arc<dyn Layer>],
    pub(super) level: Level,
    pub(super) end: &'a dyn End,
}

impl<'a> Next<'a> {
    /// Goes on.
    ///
    /// # Errors
    ///
    /// What the call or the attempt fails with.
    pub fn run(self, request: Outgoing) -> BoxFuture<'a, Result<Incoming>> {
        let Some((first, rest)) = self.rest.split_first() else { return self.end.run(request) };
        let next = Self { rest, ..self };
        match self.level {
            Level::Call => first.call(request, next),
            Level::Attempt => first.attempt(request, next),
        }
    }
}

impl fmt::Debug for Next<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Next").field("interceptors", &self.rest.len()).finish_non_exhaustive()
    }
}

/// A future on the heap.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What an interceptor wraps.
#[derive(Clone, Copy, Debug)]
pub(super) enum Level {
    Call,
    Attempt,
}

/// What is at the end of a chain of interceptors.
pub(super) trait End: Send + Sync {
    fn run(&self, request: Outgoing) -> BoxFuture<'_, Result<Incoming>>;
}

/// An interceptor whose futures are on the heap.
pub(super) trait Layer: Send + Sync {
    fn call<'a>(&'a self, request: Outgoing, next: Next<'a>) -> BoxFuture<'a, Result<Incoming>>;
    fn attempt<'a>(&'a self, request: Outgoing, next: Next<'a>) -> BoxFuture<'a, Result<Incoming>>;
    fn connected(&self, server: &Address);
    fn connect_failed(&self, server: &Address, error: &Error);
    fn disconnected(&self, server: &Address);
}

impl<T: Interceptor> Layer for T {
    fn call<'a>(&'a self, request: Outgoing, next: Next<'a>) -> BoxFuture<'a, Result<Incoming>> {
        Box::pin(Interceptor::call(self, request, next))
    }

    fn attempt<'a>(&'a self, request: Outgoing, next: Next<'a>) -> BoxFuture<'a, Result<Incoming>> {
        Box::pin(Interceptor::attempt(self, request, next))
    }

    fn connected(&self, server: &Address) {
        tell(server, || Interceptor::connected(self, server));
    }

    fn connect_failed(&self, server: &Address, error: &Error) {
        tell(server, || Interceptor::connect_failed(self, server, error));
    }

    fn disconnected(&self, server: &Address) {
        tell(server, || Interceptor::disconnected(self, server));
    }
}

/// Tells the news of a connection: a panic there must not keep it from the others, nor a connection
/// from its end.
fn tell(server: &Address, news: impl FnOnce()) {
    if contain_panic(news).is_none() {
        tracing::error!(address = %server, "an interceptor panicked at the news of a connection");
    }
}

/// The interceptors of a channel, the outermost first.
#[derive(Clone, Default)]
pub(super) struct Interceptors(pub(super) Vec<Arc<dyn Layer>>);

impl fmt::Debug for Interceptors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interceptors").field("count", &self.0.len()).finish()
    }
}
