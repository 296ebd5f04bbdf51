//! A call in a task of its own.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::task::JoinHandle;

use super::call_future::CallFuture;
use super::channel::Channel;
use super::request::Encoded;
use crate::error::{Error, Executed};
use crate::wire::ErrorWire;

/// A call in a task of its own; awaiting it gives the reply.
///
/// It is `'static`: it goes into a `JoinSet`, a `Vec`, another task. Dropping it gives the call up.
#[must_use = "dropping a started call gives it up"]
pub struct Started<R, E> {
    state: State<R, E>,
}

enum State<R, E> {
    Running(JoinHandle<Result<R, E>>, ErrorWire<E>),
    Failed(Option<E>),
}

impl<R, E> Started<R, E> {
    pub(super) fn failed(error: E) -> Self {
        Self { state: State::Failed(Some(error)) }
    }
}

impl<R: Send + 'static, E: Send + 'static> Started<R, E> {
    pub(super) fn spawn(call: CallFuture<Channel, Encoded, R, E>, error: ErrorWire<E>) -> Self {
        Self { state: State::Running(tokio::spawn(call), error) }
    }
}

impl<R, E> Future for Started<R, E> {
    type Output = Result<R, E>;

    /// # Panics
    ///
    /// If polled again after it was ready, or if decoding the reply panicked.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        match &mut this.state {
            State::Failed(error) => {
                Poll::Ready(Err(error.take().expect("a future is not polled after it was ready")))
            }
            State::Running(task, error) => Poll::Ready(match ready!(Pin::new(task).poll(cx)) {
                Ok(result) => result,
                Err(failed) => match failed.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    // Only the end of the runtime stops a task whose handle is awaited.
                    Err(_) => Err(error.read(Error::Cancelled { executed: Executed::Maybe })),
                },
            }),
        }
    }
}

// The task is behind a handle, the error is taken by value.
impl<R, E> Unpin for Started<R, E> {}

impl<R, E> Drop for Started<R, E> {
    fn drop(&mut self) {
        if let State::Running(task, _) = &self.state {
            task.abort();
        }
    }
}

impl<R, E> fmt::Debug for Started<R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Started").finish_non_exhaustive()
    }
}
