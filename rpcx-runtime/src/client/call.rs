//! A call that is not yet made: what was passed, and the options.

use std::fmt;
use std::future::IntoFuture;
use std::time::Duration;

use super::call_future::{CallFuture, DetailedFuture, OnewayFuture};
use super::channel::Channel;
use super::fan_out::{self, FanOut, FanOutError, Forms, Receipt};
use super::request::{CallOptions, Encoded, Request};
use super::selector;
use super::started::Started;
use super::way::Way;
use crate::arguments::Arguments;
use crate::context::Context;
use crate::error::Error;
use crate::method::{Method, MethodInfo};
use crate::modes::{FailMode, RetryRule};
use crate::protocol::{Compression, SerializeType};
use crate::wire::{ErrorWire, Wire};

/// A call that is not yet made.
///
/// `.await` makes it, `join!`, `select!` and `tokio::time::timeout` take it as it is. For
/// `tokio::spawn` and `JoinSet`, which ask for `'static`, use [`start`](Self::start).
///
/// # Cancel safety
///
/// Dropping the future gives the call up: its place is free at once and a late reply is dropped. A
/// server of this crate is told, and drops a handler that waits; Go's runs it to its end.
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
        self.options.rare().governance.fail_mode = Some(mode);
        self
    }

    /// Sets how often the call is made again at most.
    pub fn retries(mut self, retries: u32) -> Self {
        self.options.rare().governance.retries = Some(retries);
        self
    }

    /// Sets whether the call may be made again when it may have run.
    pub fn retry(mut self, rule: RetryRule) -> Self {
        self.options.rare().governance.retry = Some(rule);
        self
    }

    /// Sets the pause before the call is made again.
    pub fn retry_interval(mut self, interval: Duration) -> Self {
        self.options.rare().governance.retry_interval = Some(interval);
        self
    }

    /// Sets how long the first server has under [`FailMode::Failbackup`] before a second one is called
    /// as well.
    pub fn backup_latency(mut self, latency: Duration) -> Self {
        self.options.rare().governance.backup_latency = Some(latency);
        self
    }

    /// Sets how long a single attempt may take, connecting included.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.options.rare().governance.attempt_timeout = Some(timeout);
        self
    }

    /// Sets what consistent hashing goes by: calls with the same key go to the same server.
    pub fn hash_key(mut self, key: impl AsRef<[u8]>) -> Self {
        self.options.rare().hash_key = Some(selector::key_of_call(&[], key.as_ref()));
        self
    }

    /// Ends the call no later than the one that `context` belongs to, and lets it belong to the same
    /// [trace](crate::TraceContext), if there is one.
    pub fn inherit(mut self, context: &Context) -> Self {
        self.options.deadline = context.deadline();
        if let Some(trace) = context.trace_context() {
            trace.write(&mut self.options.metadata);
        }
        self
    }

    /// Makes the call without asking for a reply.
    ///
    /// The future is ready once the socket has taken the request. Whether the method succeeds, or
    /// exists, is never known.
    pub fn oneway(mut self) -> OnewayFuture<'a, A, E> {
        self.options.oneway = true;
        let error = self.error;
        OnewayFuture::new(self.channel, self.way(), error)
    }

    /// Gives the reply together with the metadata that came with it, also with an error.
    pub fn detailed(self) -> DetailedFuture<'a, A, R, E> {
        let (reply, error) = (self.reply, self.error);
        DetailedFuture::new(self.channel, self.way(), reply, error)
    }

    fn way(self) -> Way<A> {
        Way::new(self.channel, self.info, self.arguments, self.options)
    }

    fn encoded(self) -> Result<Request<Encoded>, Error> {
        let Self { channel, info, arguments, options, .. } = self;
        Request { info, arguments, options }.encoded(channel.settings())
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
        let (channel, reply, error) = (self.channel.clone(), self.reply, self.error);
        match self.encoded() {
            Err(failed) => Started::failed(error.read(failed)),
            Ok(Request { info, arguments, options }) => {
                let way = Way::new(&channel, info, arguments, options);
                Started::spawn(CallFuture::new(channel, way, reply, error), error)
            }
        }
    }

    /// Calls all servers; each gives a receipt of its own, in the order of the list. Go's `Inform`.
    ///
    /// Every server is called once, whatever the fail mode: none is tried again, none is left out.
    /// That one fails does not end the others. The receipts are those of the servers that the
    /// registry names and the filters let through, with those that cannot be reached.
    ///
    /// # Errors
    ///
    /// If there is no server, or the arguments cannot be encoded. Failures of servers are in the
    /// receipts.
    pub fn inform(self) -> FanOut<Result<Vec<Receipt<R, E>>, E>> {
        let (channel, forms) = self.forms();
        fan_out::inform(channel, self.encoded(), forms)
    }

    /// Calls all servers, for a method that has to succeed on each; gives the reply of the first that
    /// answered. Go's `Broadcast`.
    ///
    /// The first failure ends it: replies that are still on their way are no longer waited for, but the
    /// calls were made. Every server is called once, whatever the fail mode. Unlike in Go 1.9.4 a
    /// server that cannot be reached is a failure.
    ///
    /// # Errors
    ///
    /// [`FanOutError::Failed`] with the first server that failed, [`FanOutError::NotMade`] if there is no
    /// server or the arguments cannot be encoded.
    pub fn broadcast(self) -> FanOut<Result<R, FanOutError<E>>> {
        let (channel, forms) = self.forms();
        fan_out::broadcast(channel, self.encoded(), forms)
    }

    /// Calls all servers, for a method of which one success is enough; gives the first reply that is no
    /// failure. Go's `Fork`.
    ///
    /// Replies that are still on their way are then no longer waited for, but the calls were made.
    /// Every server is called once, whatever the fail mode.
    ///
    /// # Errors
    ///
    /// [`FanOutError::Failed`] with all servers if every one failed, [`FanOutError::NotMade`] if there is
    /// no server or the arguments cannot be encoded.
    pub fn fork(self) -> FanOut<Result<R, FanOutError<E>>> {
        let (channel, forms) = self.forms();
        fan_out::fork(channel, self.encoded(), forms)
    }

    fn forms(&self) -> (Channel, Forms<R, E>) {
        (self.channel.clone(), Forms { reply: self.reply, error: self.error })
    }
}

impl<'a, A: Arguments, R, E> IntoFuture for Call<'a, A, R, E> {
    type Output = Result<R, E>;
    type IntoFuture = CallFuture<&'a Channel, A, R, E>;

    fn into_future(self) -> Self::IntoFuture {
        let (reply, error) = (self.reply, self.error);
        CallFuture::new(self.channel, self.way(), reply, error)
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
