//! How a call is made: by its own future, or in a future on the heap.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::attempts::Attempts;
use super::channel::Channel;
use super::interceptor::BoxFuture;
use super::managed::{self, Outcome};
use super::request::{CallOptions, Request};
use crate::address::Address;
use crate::arguments::Arguments;
use crate::error::{Error, Result};
use crate::method::MethodInfo;
use crate::modes::FailMode;
use crate::protocol::Message;

/// How a call is made.
pub(super) enum Way<A> {
    /// Nothing wraps it, and one attempt follows the other.
    Direct(Attempts<A>),
    /// Interceptors wrap it, or it may be at two servers at a time.
    Managed(Managed),
}

/// A call in a future on the heap.
pub(super) struct Managed {
    state: State,
    address: Option<Address>,
}

enum State {
    Running(BoxFuture<'static, Outcome>),
    Failed(Option<Error>),
}

impl<A: Arguments> Way<A> {
    pub(super) fn new(
        channel: &Channel,
        info: &'static MethodInfo,
        arguments: A,
        options: CallOptions,
    ) -> Self {
        let request = Request { info, arguments, options };
        let settings = channel.settings();
        let hedges =
            request.governed(settings, |part| part.fail_mode) == Some(FailMode::Failbackup);
        if settings.interceptors.0.is_empty() && !hedges {
            return Self::Direct(Attempts::new(request));
        }
        let state = match request.encoded(channel.settings()) {
            Ok(request) => State::Running(Box::pin(managed::run(channel.clone(), request, None))),
            Err(error) => State::Failed(Some(error)),
        };
        Self::Managed(Managed { state, address: None })
    }

    /// Gives the server that was called last, once the call is over.
    pub(super) fn address(&self) -> Option<&Address> {
        match self {
            Self::Direct(attempts) => attempts.address(),
            Self::Managed(managed) => managed.address.as_ref(),
        }
    }

    /// Drives the call; `None` is a one-way call that the socket took.
    pub(super) fn poll(
        &mut self,
        channel: &Channel,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Message>>> {
        match self {
            Self::Direct(attempts) => attempts.poll(channel, cx),
            Self::Managed(managed) => managed.poll(cx),
        }
    }
}

impl Managed {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Message>>> {
        match &mut self.state {
            State::Running(call) => {
                let outcome = ready!(Pin::new(call).poll(cx));
                self.address = outcome.address;
                Poll::Ready(outcome.result)
            }
            State::Failed(error) => match error.take() {
                Some(error) => Poll::Ready(Err(error)),
                None => Poll::Pending,
            },
        }
    }
}
