//! A call that is not yet made: what was passed, and the options.

use std::fmt;
use std::future::IntoFuture;
use std::time::Duration;

use super::attempt::{Attempt, CallOptions};
use super::call_future::{CallFuture, DetailedFuture, OnewayFuture};
use super::channel::Channel;
use super::started::{Encoded, Started};
use crate::arguments::Arguments;
use crate::context::Context;
use crate::error::Error;
use crate::method::{Method, MethodInfo};
use crate::protocol::{Compression, SerializeType};
use crate::service_info::FailMode;
use crate::wire::{ErrorWire, Wire};

/// A call that is not yet made.
///
/// `.await` makes it, `join!`, `select!` and `tokio::time::timeout` take it as it is. For
/// `tokio::spawn` and `JoinSet`, which ask for `'static`, use [`start`](Self::start).
///
/// # Cancel safety
///
/// Dropping the future gives the call up: its place is free at once and a late reply is dropped. A
/// request that was sent still runs at the server.
#[must_use = "a call does nothing unless it is awaited or started"]
pub struct Call<'a, A, R, E> {
    channel: &'a Channel,
    info: &'static MethodInfo,
    arguments: A,
    reply: Wire<R>,
    error: ErrorWire<E>,
    options: CallOptions,
}

impl<'a, A: Arguments, R, E> Call<'a, A, R, E> {
    /// Starts from what the trait says.
    pub const fn new<T>(channel: &'a Channel, method: &Method<T, R, E>, arguments: A) -> Self {
        Self {
            channel,
            info: method.info(),
            arguments,
            reply: method.reply(),
            error: method.error(),
            options: CallOptions::new(),
        }
    }

    /// Sets how long the call may take, connecting included.
    ///
    /// The server is told, in the metadata key `__ServerTimeout`.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// Adds a pair to the metadata of the request.
    pub fn metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.metadata.insert(key, value);
        self
    }

    /// Sets the codec; the server answers in the same.
    pub fn codec(mut self, serialize_type: SerializeType) -> Self {
        self.options.serialize_type = Some(serialize_type);
        self
    }

    /// Compresses arguments of more than 1,024 bytes; the server then compresses such a reply.
    pub fn compress(mut self, compression: Compression) -> Self {
        self.options.compression = Some(compression);
        self
    }

    /// Sets what the call does when a server fails.
    pub fn fail_mode(mut self, mode: FailMode) -> Self {
        self.options.fail_mode = Some(mode);
        self
    }

    /// Sets how often the call is made again at most.
    pub fn retries(mut self, retries: u32) -> Self {
        self.options.retries = Some(retries);
        self
    }

    /// Ends the call no later than the one that `context` belongs to.
    pub fn inherit(mut self, context: &Context) -> Self {
        self.options.deadline = context.deadline();
        self
    }

    /// Makes the call without asking for a reply.
    ///
    /// The future is ready once the socket has taken the request. Whether the method succeeds, or
    /// exists, is never known.
    pub fn oneway(mut self) -> OnewayFuture<'a, A, E> {
        self.options.oneway = true;
        let error = self.error;
        OnewayFuture::new(self.attempt(), error)
    }

    /// Gives the reply together with the metadata that came with it, also with an error.
    pub fn detailed(self) -> DetailedFuture<'a, A, R, E> {
        let (reply, error) = (self.reply, self.error);
        DetailedFuture::new(self.attempt(), reply, error)
    }

    fn attempt(self) -> Attempt<&'a Channel, A> {
        Attempt::new(self.channel, self.info, self.arguments, self.options)
    }
}

impl<A: Arguments, R: Send + 'static, E: Send + 'static> Call<'_, A, R, E> {
    /// Encodes the arguments and makes the call in a task of its own.
    ///
    /// The handle borrows nothing. Dropping it gives the call up.
    ///
    /// # Panics
    ///
    /// If called outside a tokio runtime.
    pub fn start(self) -> Started<R, E> {
        let builder = self.channel.settings().serialize_type;
        let serialize_type =
            self.options.serialize_type.or(builder).unwrap_or(self.info.serialize_type());
        let (reply, error) = (self.reply, self.error);
        match Encoded::new(&self.arguments, serialize_type) {
            Err(failed) => Started::failed(error.read(Error::Encode(failed))),
            Ok(encoded) => {
                let options = CallOptions { serialize_type: Some(serialize_type), ..self.options };
                let attempt = Attempt::new(self.channel.clone(), self.info, encoded, options);
                Started::spawn(CallFuture::new(attempt, reply, error), error)
            }
        }
    }
}

impl<'a, A: Arguments, R, E> IntoFuture for Call<'a, A, R, E> {
    type Output = Result<R, E>;
    type IntoFuture = CallFuture<&'a Channel, A, R, E>;

    fn into_future(self) -> Self::IntoFuture {
        let (reply, error) = (self.reply, self.error);
        CallFuture::new(self.attempt(), reply, error)
    }
}

impl<A, R, E> fmt::Debug for Call<'_, A, R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("service", &self.info.service_path())
            .field("method", &self.info.name())
            .finish_non_exhaustive()
    }
}
