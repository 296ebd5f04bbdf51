//! The futures of a call, each with what it makes of the reply.

use std::borrow::Borrow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;

use super::channel::Channel;
use super::settings::ChannelSettings;
use super::way::Way;
use crate::address::Address;
use crate::arguments::Arguments;
use crate::error::Error;
use crate::metadata::{Metadata, reserved};
use crate::protocol::{Compression, Message, Status};
use crate::wire::{ErrorWire, Wire};

/// A call on its way, ready with its reply.
pub struct CallFuture<C, A, R, E> {
    channel: C,
    way: Way<A>,
    reply: Wire<R>,
    error: ErrorWire<E>,
}

/// A call on its way, ready with its reply and what came beside it.
pub struct DetailedFuture<'a, A, R, E> {
    channel: &'a Channel,
    way: Way<A>,
    reply: Wire<R>,
    error: ErrorWire<E>,
}

/// A one-way call, ready when the socket has taken it.
pub struct OnewayFuture<'a, A, E> {
    channel: &'a Channel,
    way: Way<A>,
    error: ErrorWire<E>,
}

/// A reply and what came beside it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Detailed<R, E> {
    /// What the method returned, or why there is no reply.
    pub result: Result<R, E>,
    /// The metadata of the response; empty if none came. Without rpcx's own keys.
    pub metadata: Metadata,
    /// The server that was called last; `None` if the call got to none.
    pub address: Option<Address>,
}

impl<C, A, R, E> CallFuture<C, A, R, E> {
    pub(super) fn new(channel: C, way: Way<A>, reply: Wire<R>, error: ErrorWire<E>) -> Self {
        Self { channel, way, reply, error }
    }
}

impl<'a, A, R, E> DetailedFuture<'a, A, R, E> {
    pub(super) fn new(
        channel: &'a Channel,
        way: Way<A>,
        reply: Wire<R>,
        error: ErrorWire<E>,
    ) -> Self {
        Self { channel, way, reply, error }
    }
}

impl<'a, A, E> OnewayFuture<'a, A, E> {
    pub(super) fn new(channel: &'a Channel, way: Way<A>, error: ErrorWire<E>) -> Self {
        Self { channel, way, error }
    }
}

impl<C: Borrow<Channel>, A: Arguments, R, E> Future for CallFuture<C, A, R, E> {
    type Output = Result<R, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let channel = this.channel.borrow();
        this.way.poll(channel, cx).map(|result| {
            let result =
                result.and_then(|message| read(message.as_ref(), this.reply, channel.settings()));
            result.map_err(|error| this.error.read(error))
        })
    }
}

impl<A: Arguments, R, E> Future for DetailedFuture<'_, A, R, E> {
    type Output = Detailed<R, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.way.poll(this.channel, cx).map(|result| {
            let mut metadata = Metadata::new();
            let result = result.and_then(|message| {
                if let Some(message) = &message {
                    metadata = message.metadata().without_own_keys();
                }
                read(message.as_ref(), this.reply, this.channel.settings())
            });
            let result = result.map_err(|error| this.error.read(error));
            Detailed { result, metadata, address: this.way.address().cloned() }
        })
    }
}

impl<A: Arguments, E> Future for OnewayFuture<'_, A, E> {
    type Output = Result<(), E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.way.poll(this.channel, cx).map(|result| match result {
            Ok(_) => Ok(()),
            Err(error) => Err(this.error.read(error)),
        })
    }
}

/// Reads the reply out of a response. There is none for a method that is declared one-way: it
/// reads as an empty payload, which only `()` can be read from.
pub(super) fn read<R>(
    message: Option<&Message>,
    reply: Wire<R>,
    settings: &ChannelSettings,
) -> Result<R, Error> {
    let Some(message) = message else {
        let empty = reply.decode(crate::protocol::SerializeType::MSGPACK, &Bytes::new());
        return empty.map_err(Error::Decode);
    };
    let header = message.header();
    match header.status() {
        Status::Normal => {}
        Status::Error => {
            let text = message.metadata_value(reserved::ERROR).unwrap_or_default();
            return Err(Error::Service(String::from_utf8_lossy(text).into_owned()));
        }
        Status::Reserved(status) => {
            return Err(Error::Protocol(format!("a response of status {status}")));
        }
    }
    let mut payload = message.payload();
    if header.compression() != Compression::NONE {
        let settings = &settings.messages;
        let limit = settings.limits.decompressed();
        let restored = settings.compressors.decompress(header.compression(), &payload, limit);
        payload = restored
            .map_err(|error| Error::Decode(crate::codec::CodecError::Decode(error.to_string())))?
            .into();
    }
    reply.decode(header.serialize_type(), &payload).map_err(Error::Decode)
}

// Nothing in these futures is pinned: the parts that need it are boxed.
impl<C, A, R, E> Unpin for CallFuture<C, A, R, E> {}
impl<A, R, E> Unpin for DetailedFuture<'_, A, R, E> {}
impl<A, E> Unpin for OnewayFuture<'_, A, E> {}

macro_rules! debug {
    ($name:literal, [$($generics:tt)*] $future:ty) => {
        impl<$($generics)*> fmt::Debug for $future {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct($name).finish_non_exhaustive()
            }
        }
    };
}

debug!("CallFuture", [C, A, R, E] CallFuture<C, A, R, E>);
debug!("DetailedFuture", [A, R, E] DetailedFuture<'_, A, R, E>);
debug!("OnewayFuture", [A, E] OnewayFuture<'_, A, E>);
