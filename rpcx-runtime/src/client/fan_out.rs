//! One call to all servers.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use super::call_future::read;
use super::channel::Channel;
use super::interceptor::BoxFuture;
use super::managed;
use super::request::{Encoded, Request};
use super::timer::Timer;
use crate::address::Address;
use crate::error::{Error, Executed, Result};
use crate::metadata::Metadata;
use crate::wire::{ErrorWire, Wire};

/// What one server answered to a call that went to all.
#[derive(Debug)]
#[non_exhaustive]
pub struct Receipt<R, E> {
    /// The server.
    pub address: Address,
    /// What the method returned there, or why there is no reply: a server that could not be reached
    /// has [`Error::Connect`].
    pub result: std::result::Result<R, E>,
    /// The metadata of the response; empty if none came. Without rpcx's own keys.
    pub metadata: Metadata,
}

/// Why a call to all servers failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum FanOutError<E> {
    /// It was made at no server: there is none, or the arguments cannot be encoded.
    NotMade(E),
    /// It failed at these servers.
    Failed(Vec<ServerFailure<E>>),
}

/// How a call failed at one server.
#[derive(Debug)]
#[non_exhaustive]
pub struct ServerFailure<E> {
    /// The server.
    pub address: Address,
    /// Why.
    pub error: E,
}

/// A call to all servers on its way.
///
/// It borrows nothing. Dropping it gives all of its calls up.
#[must_use = "a call does nothing unless it is awaited"]
pub struct FanOut<T> {
    calls: BoxFuture<'static, T>,
}

impl<T> Future for FanOut<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        self.calls.as_mut().poll(cx)
    }
}

impl<T> fmt::Debug for FanOut<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FanOut").finish_non_exhaustive()
    }
}

/// How the answers are read.
pub(super) struct Forms<R, E> {
    pub(super) reply: Wire<R>,
    pub(super) error: ErrorWire<E>,
}

/// Calls all, and gives what each says.
pub(super) fn inform<R: Send + 'static, E: Send + 'static>(
    channel: Channel,
    request: Result<Request<Encoded>>,
    forms: Forms<R, E>,
) -> FanOut<std::result::Result<Vec<Receipt<R, E>>, E>> {
    let calls = async move {
        let calls =
            begin(&channel, request, &forms).await.map_err(|error| forms.error.read(error))?;
        let mut receipts: Vec<_> = calls.collect().await;
        receipts.sort_by_key(|(place, _)| *place);
        Ok(receipts.into_iter().map(|(_, receipt)| receipt).collect())
    };
    FanOut { calls: Box::pin(calls) }
}

/// Calls all, and is over when one fails.
pub(super) fn broadcast<R: Send + 'static, E: Send + 'static>(
    channel: Channel,
    request: Result<Request<Encoded>>,
    forms: Forms<R, E>,
) -> FanOut<std::result::Result<R, FanOutError<E>>> {
    let calls = async move {
        let calls = begin(&channel, request, &forms).await;
        let mut calls = calls.map_err(|error| FanOutError::NotMade(forms.error.read(error)))?;
        let mut reply = None;
        while let Some((_, receipt)) = calls.next().await {
            let address = receipt.address;
            match receipt.result {
                Ok(value) => drop(reply.get_or_insert(value)),
                Err(error) => {
                    return Err(FanOutError::Failed(vec![ServerFailure { address, error }]));
                }
            }
        }
        // There is at least one server, and none failed.
        reply.ok_or_else(|| FanOutError::Failed(Vec::new()))
    };
    FanOut { calls: Box::pin(calls) }
}

/// Calls all, and is over when one succeeds.
pub(super) fn fork<R: Send + 'static, E: Send + 'static>(
    channel: Channel,
    request: Result<Request<Encoded>>,
    forms: Forms<R, E>,
) -> FanOut<std::result::Result<R, FanOutError<E>>> {
    let calls = async move {
        let calls = begin(&channel, request, &forms).await;
        let mut calls = calls.map_err(|error| FanOutError::NotMade(forms.error.read(error)))?;
        let mut failures = Vec::new();
        while let Some((_, receipt)) = calls.next().await {
            let address = receipt.address;
            match receipt.result {
                Ok(value) => return Ok(value),
                Err(error) => failures.push(ServerFailure { address, error }),
            }
        }
        Err(FanOutError::Failed(failures))
    };
    FanOut { calls: Box::pin(calls) }
}

/// The calls on their way, each with the place of its server.
type Calls<R, E> = FuturesUnordered<BoxFuture<'static, (usize, Receipt<R, E>)>>;

/// Puts a call to each server on its way.
async fn begin<R: Send + 'static, E: Send + 'static>(
    channel: &Channel,
    request: Result<Request<Encoded>>,
    forms: &Forms<R, E>,
) -> Result<Calls<R, E>> {
    let mut request = request?;
    if let (true, Some(wait)) = (channel.cluster().is_empty(), channel.settings().wait_for_server) {
        // The wait is part of the time that the calls have.
        let timer = request.time(channel.settings()).and_then(Timer::start);
        let wait = timer.as_ref().map_or(wait, |timer| wait.min(timer.left()));
        let _ = tokio::time::timeout(wait, channel.cluster().filled()).await;
        if let Some(timer) = timer {
            if channel.cluster().is_empty() && timer.left().is_zero() {
                return Err(timer.error(Executed::No));
            }
            request.options.deadline = Some(timer.end());
        }
    }
    let servers = channel.cluster().all()?;
    let calls = servers.into_iter().enumerate().map(|(place, server)| {
        let (channel, request) = (channel.clone(), request.clone());
        let (reply, error) = (forms.reply, forms.error);
        let address = server.address().clone();
        let call = async move {
            let outcome = managed::run(channel.clone(), request, Some(server)).await;
            let metadata = match &outcome.result {
                Ok(Some(message)) => message.metadata().without_own_keys(),
                _ => Metadata::new(),
            };
            let result = outcome.result;
            let result =
                result.and_then(|message| read(message.as_ref(), reply, channel.settings()));
            let result = result.map_err(|failed| error.read(failed));
            (place, Receipt { address, result, metadata })
        };
        Box::pin(call) as BoxFuture<'static, _>
    });
    Ok(calls.collect())
}

impl<E: fmt::Display> fmt::Display for FanOutError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotMade(error) => error.fmt(f),
            Self::Failed(failures) => {
                write!(f, "the call failed at {} of the servers", failures.len())?;
                for ServerFailure { address, error } in failures {
                    write!(f, "; {address}: {error}")?;
                }
                Ok(())
            }
        }
    }
}

impl<E: std::error::Error + 'static> std::error::Error for FanOutError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NotMade(error) => error.source(),
            Self::Failed(failures) => failures.first().map(|failure| &failure.error as _),
        }
    }
}

impl From<FanOutError<Self>> for Error {
    /// Gives the error of the first server that failed.
    fn from(error: FanOutError<Self>) -> Self {
        match error {
            FanOutError::NotMade(error) => error,
            FanOutError::Failed(failures) => {
                let first = failures.into_iter().next().map(|failure| failure.error);
                first.unwrap_or_else(|| Self::NoServer { why: "no server was called".to_owned() })
            }
        }
    }
}
