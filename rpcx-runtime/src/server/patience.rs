//! How long a connection waits for what may not come.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// Notices a client that takes nothing of what it is sent.
#[derive(Default)]
pub(super) struct WriteStall(Option<Pin<Box<Sleep>>>);

impl WriteStall {
    pub(super) fn end(&mut self) {
        self.0 = None;
    }

    pub(super) fn poll(&mut self, progress: bool, cx: &mut Context<'_>) -> io::Result<()> {
        let timer = self.0.get_or_insert_with(|| Box::pin(tokio::time::sleep(STALL)));
        if progress {
            timer.as_mut().reset(Instant::now() + STALL);
        }
        match timer.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
            Poll::Pending => Ok(()),
        }
    }
}

/// Waits while too many calls of a connection run, or while the server holds too many bytes of requests.
#[derive(Default)]
pub(super) struct Crowd {
    end: Option<Pin<Box<Sleep>>>,
    /// Wakes the connection to look again: nobody tells it when other connections let go.
    look: Option<Pin<Box<Sleep>>>,
}

impl Crowd {
    pub(super) fn end(&mut self) {
        *self = Self::default();
    }

    /// Is ready when it has taken so long that further calls are refused: a client that has to wait for
    /// heartbeats must not take the server for dead.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let timer = self.end.get_or_insert_with(|| Box::pin(tokio::time::sleep(CROWDED)));
        if timer.is_elapsed() {
            return Poll::Ready(());
        }
        timer.as_mut().poll(cx)
    }

    /// Has the connection look again before long.
    pub(super) fn look_again(&mut self, cx: &mut Context<'_>) {
        let timer = self.look.get_or_insert_with(|| Box::pin(tokio::time::sleep(LOOK)));
        while timer.as_mut().poll(cx).is_ready() {
            timer.as_mut().reset(Instant::now() + LOOK);
        }
    }
}

/// How long a client may take nothing of what waits for it.
const STALL: Duration = Duration::from_secs(20);
/// How long a connection with too many calls is not read before its calls are refused.
const CROWDED: Duration = Duration::from_secs(3);
/// From look to look whether others have let go.
const LOOK: Duration = Duration::from_millis(200);
