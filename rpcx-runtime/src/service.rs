//! Where generated code and the server meet: a request comes in, an exchange answers it.

use std::any::Any;
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context as TaskContext, Poll};

use bytes::Bytes;
use tokio::time::Instant;
use tokio_util::sync::ReusableBoxFuture;

use crate::capture::{Answer, Failure, INTERNAL_ERROR};
use crate::context::{Context, Intercepted};
use crate::metadata::{Metadata, reserved};
use crate::method::{Method, MethodInfo};
use crate::outlet::Outlet;
use crate::private::bounds::MethodResult;
use crate::protocol::{
    COMPRESS_ABOVE, Compression, CompressionError, Header, Message, Output, Status,
};
use crate::service_info::ServiceInfo;
use crate::wire::{ErrorWire, Wire};

/// A service that a server can offer; `#[rpcx::service]` implements it for `…Server<T>`.
pub trait Service: Send + Sync + 'static {
    /// Gives what the trait says about the service as a whole.
    fn info(&self) -> &'static ServiceInfo;

    /// Lists the methods; [`resolve`](Self::resolve) gives places in this list.
    fn methods(&self) -> &'static [&'static MethodInfo];

    /// Finds a method by its name on the wire, or by an alias.
    fn resolve(&self, method: &[u8]) -> Option<u16>;

    /// Puts the future that serves `request` into `slot`, or answers at once.
    fn start(self: Arc<Self>, index: u16, request: Request, slot: &mut Slot);
}

/// A request that is not yet decoded.
///
/// Like the [`Exchange`] in it, it is answered exactly once, also when it is dropped.
pub struct Request {
    exchange: Exchange,
}

impl Request {
    pub(crate) fn new(
        message: Message,
        deadline: Option<Instant>,
        outlet: Arc<dyn Outlet>,
    ) -> Self {
        Self::of(Context::new(message, deadline, outlet))
    }

    /// Makes a request whose answer interceptors see.
    pub(crate) fn intercepted(parts: Intercepted, outlet: Arc<dyn Outlet>) -> Self {
        Self::of(Context::intercepted(parts, outlet))
    }

    fn of(context: Context) -> Self {
        Self { exchange: Exchange { context, answered: false, refused: false } }
    }

    /// Decompresses and decodes the arguments; on a failure answers the error itself.
    pub fn accept<A, R, E>(self, method: &Method<A, R, E>) -> Option<(Exchange, A)> {
        self.accept_as(method.arguments())
    }

    /// Decompresses and decodes the arguments; on a failure answers the error itself.
    pub(crate) fn accept_as<A>(mut self, wire: Wire<A>) -> Option<(Exchange, A)> {
        let serialize_type = self.message().header().serialize_type();
        let arguments = match self.payload() {
            Ok(payload) => wire.decode(serialize_type, &payload).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match arguments {
            Ok(arguments) => {
                self.exchange.context.forget_large_payload();
                Some((self.exchange, arguments))
            }
            Err(text) => {
                self.fail(&text);
                None
            }
        }
    }

    /// Answers that the service has no such method, in Go's words.
    pub fn unknown_method(self) {
        let method = String::from_utf8_lossy(self.message().service_method());
        let text = format!("rpcx: can't find method {method}");
        self.fail(&text);
    }

    /// Answers that the server has no such service, in Go's words.
    pub(crate) fn unknown_service(self) {
        let service = String::from_utf8_lossy(self.message().service_path());
        let text = format!("rpcx: can't find service {service}");
        self.fail(&text);
    }

    /// Decompresses the arguments; on a failure answers the error itself.
    pub(crate) fn accept_bytes(mut self) -> Option<(Exchange, Bytes)> {
        match self.payload() {
            Ok(payload) => {
                self.exchange.context.forget_large_payload();
                Some((self.exchange, payload))
            }
            Err(error) => {
                self.fail(&error.to_string());
                None
            }
        }
    }

    /// Keeps names and metadata only, if the payload is large: others have it.
    pub(crate) fn forget_large_payload(&mut self) {
        self.exchange.context.forget_large_payload();
    }

    /// Answers as interceptors say.
    pub(crate) fn deliver(self, answer: Answer) {
        self.exchange.deliver(answer);
    }

    pub(crate) fn fail(self, text: &str) {
        self.exchange.fail(text);
    }

    /// Answers that the call was not run and will not be: a caller may make it elsewhere.
    pub(crate) fn refuse(mut self, why: &str) {
        self.exchange.refused = true;
        self.fail(why);
    }

    /// Answers with an error, and ends the connection after it.
    pub(crate) fn fail_and_close(self, text: &str) {
        let outlet = self.exchange.context.outlet().cloned();
        self.fail(text);
        if let Some(outlet) = outlet {
            outlet.close();
        }
    }

    pub(crate) fn message(&self) -> &Message {
        self.exchange.context.message()
    }

    pub(crate) fn context(&self) -> &Context {
        &self.exchange.context
    }

    fn payload(&self) -> Result<Bytes, CompressionError> {
        let payload = self.message().payload();
        let compression = self.message().header().compression();
        match self.exchange.context.outlet() {
            Some(outlet) if compression != Compression::NONE => {
                let settings = outlet.settings();
                let limit = settings.limits.decompressed();
                settings.compressors.decompress(compression, &payload, limit).map(Bytes::from)
            }
            _ => Ok(payload),
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("message", self.message()).finish_non_exhaustive()
    }
}

/// A call that is being served: it is answered exactly once.
///
/// Dropping it unanswered answers too, with an error that says what happened: the handler
/// panicked, or its time was over. That is what keeps a panic from costing more than its own call.
#[derive(Debug)]
pub struct Exchange {
    context: Context,
    answered: bool,
    /// The call was not run, and will not be.
    refused: bool,
}

impl Exchange {
    /// Gives what the handler may know.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Sends the handler's result.
    pub fn answer<A, Ret: MethodResult>(self, method: &Method<A, Ret::Ok, Ret::Err>, result: Ret) {
        self.answer_as(method.reply(), method.error(), result.into_result());
    }

    /// Sends the handler's result.
    pub(crate) fn answer_as<R, E>(
        mut self,
        reply: Wire<R>,
        error: ErrorWire<E>,
        result: Result<R, E>,
    ) {
        // Answered before the result is dropped: that drop is the user's, and may panic.
        match result {
            Ok(_value) if self.is_oneway() => {
                self.context.put(Ok(Bytes::new()));
                self.answered = true;
            }
            Ok(value) => {
                self.reply(reply, &value);
                self.answered = true;
            }
            Err(value) => {
                self.send_error(&error.to_wire(&value));
                self.answered = true;
            }
        }
    }

    /// Sends an answer that is made already.
    pub(crate) fn deliver(mut self, answer: Answer) {
        self.context.set_response(answer.metadata);
        match answer.result {
            Ok(payload) => self.reply_bytes(payload),
            Err(failure) => {
                self.refused = failure.refused;
                self.send_error(&failure.text);
            }
        }
        self.answered = true;
    }

    /// Replaces what is sent beside the answer.
    pub(crate) fn set_response(&mut self, metadata: Metadata) {
        self.context.set_response(metadata);
    }

    fn fail(mut self, text: &str) {
        self.send_error(text);
        self.answered = true;
    }

    fn is_oneway(&self) -> bool {
        self.request().is_oneway()
    }

    fn request(&self) -> Header {
        self.context.message().header()
    }

    fn reply<T>(&mut self, wire: Wire<T>, value: &T) {
        let sent = if self.context.is_captured() {
            self.reply_captured(wire, value)
        } else if self.request().compression() == Compression::NONE {
            self.reply_in_place(wire, value)
        } else {
            self.reply_compressed(wire, value)
        };
        if let Err(text) = sent {
            self.send_error(&text);
        }
    }

    /// Leaves the reply to interceptors: compressing and sending it comes after them.
    fn reply_captured<T>(&mut self, wire: Wire<T>, value: &T) -> Result<(), String> {
        let serialize_type = self.request().serialize_type();
        let payload = match wire.bytes(value, serialize_type) {
            Some(payload) => payload,
            None => {
                let mut payload = Vec::new();
                wire.encode(value, serialize_type, &mut payload)
                    .map_err(|error| error.to_string())?;
                payload.into()
            }
        };
        self.context.put(Ok(payload));
        Ok(())
    }

    /// Sends a reply that is encoded already.
    fn reply_bytes(&mut self, payload: Bytes) {
        if self.context.is_captured() {
            return self.context.put(Ok(payload));
        }
        if self.is_oneway() {
            return;
        }
        let sent = if self.request().compression() != Compression::NONE {
            self.send_compressed(payload)
        } else if payload.len() >= ATTACH {
            self.send(payload.len(), Header::with_response, |_| Ok(()), Some(payload))
        } else {
            let write = |out: &mut Vec<u8>| {
                out.extend_from_slice(&payload);
                Ok(())
            };
            self.send(0, Header::with_response, write, None)
        };
        if let Err(text) = sent {
            self.send_error(&text);
        }
    }

    fn reply_in_place<T>(&mut self, wire: Wire<T>, value: &T) -> Result<(), String> {
        let serialize_type = self.request().serialize_type();
        let whole = wire.bytes(value, serialize_type).filter(|bytes| bytes.len() >= ATTACH);
        match whole {
            Some(payload) => {
                self.send(payload.len(), Header::with_response, |_| Ok(()), Some(payload))
            }
            None => self.send(
                0,
                Header::with_response,
                |out| wire.encode(value, serialize_type, out).map_err(|error| error.to_string()),
                None,
            ),
        }
    }

    fn reply_compressed<T>(&mut self, wire: Wire<T>, value: &T) -> Result<(), String> {
        let mut payload = Vec::new();
        wire.encode(value, self.request().serialize_type(), &mut payload)
            .map_err(|error| error.to_string())?;
        self.send_compressed(payload.into())
    }

    /// Sends an encoded reply, compressed if it is large enough.
    fn send_compressed(&mut self, mut payload: Bytes) -> Result<(), String> {
        let mut compression = self.request().compression();
        if payload.len() > COMPRESS_ABOVE {
            let compressors = self.context.outlet().map(|outlet| &outlet.settings().compressors);
            let packed = compressors.map(|known| known.compress(compression, &payload));
            match packed {
                Some(Ok(packed)) => payload = packed.into(),
                Some(Err(error)) => return Err(error.to_string()),
                None => return Ok(()),
            }
        } else {
            compression = Compression::NONE;
        }
        self.send(
            0,
            |header| header.with_compression(compression),
            |out| {
                out.extend_from_slice(&payload);
                Ok(())
            },
            None,
        )
    }

    /// Writes one normal response; `attached` rides behind what `write` encodes.
    fn send(
        &mut self,
        attached_len: usize,
        adjust: impl Fn(Header) -> Header,
        write: impl Fn(&mut Vec<u8>) -> Result<(), String>,
        attached: Option<Bytes>,
    ) -> Result<(), String> {
        let (message, Some(outlet), metadata) = self.context.parts() else { return Ok(()) };
        let header = adjust(message.header().response(Status::Normal));
        let limit = outlet.settings().limits.message();
        outlet.settings().limits.check_metadata(metadata.iter().map(|(key, _)| key))?;
        let mut attached = attached;
        let mut result = Ok(());
        outlet.write(&mut |out| {
            let pairs = metadata.iter().filter(|(key, _)| !is_own(key));
            let pairs = pairs.map(|(key, value)| (key.as_bytes(), value.as_bytes()));
            let path = message.service_path();
            let method = message.service_method();
            result = out.frame_with(header, path, method, pairs, &write).and_then(|len| {
                let size = len + attached_len - PREFIX;
                if size > limit {
                    out.retract(len);
                    return Err(format!(
                        "the reply has {size} bytes, the server's limit is {limit}"
                    ));
                }
                if let Some(payload) = attached.take() {
                    out.attach(len, payload);
                }
                Ok(())
            });
        });
        result
    }

    fn send_error(&mut self, text: &str) {
        if self.context.is_captured() {
            let failure = Failure { text: text.to_owned(), refused: self.refused };
            return self.context.put(Err(failure));
        }
        if self.is_oneway() {
            return;
        }
        let refused = self.refused;
        let (message, Some(outlet), metadata) = self.context.parts() else { return };
        let limits = &outlet.settings().limits;
        let limit = limits.message();
        let keys = metadata.iter().chain(error_pairs(text, refused)).map(|(key, _)| key);
        if let Err(why) = limits.check_metadata(keys) {
            tracing::warn!(why, "the metadata of a response is left out");
            *metadata = Metadata::new();
        }
        outlet.write(&mut |out| {
            let pairs = metadata.iter().filter(|(key, _)| !is_own(key));
            let len = error_frame(message, out, pairs.chain(error_pairs(text, refused)));
            let size = len - PREFIX;
            if size > limit {
                out.retract(len);
                let text = format!("the error has {size} bytes, the server's limit is {limit}");
                error_frame(message, out, error_pairs(&text, refused));
            }
        });
    }

    /// Says why nobody answered, without a word of the arguments or of the panic.
    fn why_unanswered(&self) -> String {
        if std::thread::panicking() {
            let incident = next_incident();
            tracing::error!(
                service = %self.context.service_path(),
                method = %self.context.service_method(),
                incident,
                "a handler panicked",
            );
            return format!("{INTERNAL_ERROR} the handler panicked, incident {incident}");
        }
        match self.context.deadline() {
            Some(deadline) if deadline <= Instant::now() => DEADLINE_EXCEEDED.to_owned(),
            _ => format!("{INTERNAL_ERROR} the handler was stopped"),
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if !self.answered {
            self.send_error(&self.why_unanswered());
        }
    }
}

/// Gives what an error response has to say: the error itself, and perhaps that nothing ran.
fn error_pairs(text: &str, refused: bool) -> impl Iterator<Item = (&str, &str)> {
    let refusal = refused.then_some((reserved::NOT_EXECUTED, text));
    refusal.into_iter().chain([(reserved::ERROR, text)])
}

/// Writes an error response; gives its length.
fn error_frame<'a>(
    request: &Message,
    out: &mut Output,
    pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> usize {
    let written = out.frame_with(
        request.header().response(Status::Error),
        request.service_path(),
        request.service_method(),
        pairs.into_iter().map(|(key, value)| (key.as_bytes(), value.as_bytes())),
        |_| Ok::<_, Infallible>(()),
    );
    let Ok(len) = written;
    len
}

/// A place for the future that serves a call: a box that is used again and again.
///
/// The server polls it once where it is. A future that is ready costs no task and no allocation; one
/// that has to wait moves to a task of its own, in its box.
#[derive(Default)]
pub struct Slot {
    future: Option<ReusableBoxFuture<'static, ()>>,
    filled: bool,
}

impl Slot {
    /// Fills the slot.
    pub fn run(&mut self, future: impl Future<Output = ()> + Send + 'static) {
        match &mut self.future {
            Some(boxed) => boxed.set(future),
            None => self.future = Some(ReusableBoxFuture::new(future)),
        }
        self.filled = true;
    }

    pub(crate) fn is_filled(&self) -> bool {
        self.filled
    }

    /// Polls the future; one that is ready, or that panicked, leaves the slot empty.
    pub(crate) fn poll(&mut self, cx: &mut TaskContext<'_>) -> Poll<()> {
        let Some(future) = self.future.as_mut().filter(|_| self.filled) else {
            return Poll::Ready(());
        };
        match contain_panic(|| future.poll(cx)) {
            Some(Poll::Pending) => Poll::Pending,
            Some(Poll::Ready(())) => {
                self.filled = false;
                Poll::Ready(())
            }
            None => {
                self.filled = false;
                self.future = None;
                Poll::Ready(())
            }
        }
    }

    /// Takes the future out, for a task of its own.
    pub(crate) fn take(&mut self) -> Self {
        std::mem::take(self)
    }
}

/// Tells whether a metadata key says what only the server itself says.
fn is_own(key: &str) -> bool {
    key == reserved::ERROR || key == reserved::NOT_EXECUTED
}

/// Runs code that is the user's in part; `None` if it panicked.
pub(crate) fn contain_panic<R>(run: impl FnOnce() -> R) -> Option<R> {
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)) {
        Ok(value) => Some(value),
        Err(panic) => {
            forget_panic(panic);
            None
        }
    }
}

/// Drops what a panic carried; a payload whose own drop panics is left to leak.
pub(crate) fn forget_panic(panic: Box<dyn Any + Send>) {
    let dropped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(panic)));
    if let Err(second) = dropped {
        std::mem::forget(second);
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").field("filled", &self.filled).finish_non_exhaustive()
    }
}

/// Go's words for a deadline that passed.
pub(crate) const DEADLINE_EXCEEDED: &str = "context deadline exceeded";

/// Gives the number of a panic.
pub(crate) fn next_incident() -> u64 {
    INCIDENTS.fetch_add(1, Ordering::Relaxed)
}

/// Numbers panics, so that a log line and an error text can be matched.
static INCIDENTS: AtomicU64 = AtomicU64::new(1);

/// What a message's limit does not count: the header and the body's length.
const PREFIX: usize = Header::LEN + 4;

/// A reply of raw bytes from this size on is not copied.
const ATTACH: usize = 16 << 10;
