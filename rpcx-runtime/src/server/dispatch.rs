//! From a request's message to the future that serves it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::auth::{Auth, AuthRequest};
use super::interceptor::{Incoming, Next};
use super::link::Link;
use crate::metadata::reserved;
use crate::outlet::Outlet as _;
use crate::protocol::{Header, Message, Peer};
use crate::service::{DEADLINE_EXCEEDED, Request, Slot, contain_panic};

/// How the future in the slot is to be run.
pub(super) struct Run {
    /// In a task of its own from the start.
    pub(super) spawn: bool,
    pub(super) deadline: Option<Instant>,
    pub(super) oneway: bool,
    pub(super) seq: u64,
    /// The caller may say that it has given the call up.
    pub(super) cancellable: bool,
}

/// Answers a message at once, or fills `slot` with the future that will.
pub(super) fn dispatch(message: Message, link: &Arc<Link>, slot: &mut Slot) -> Run {
    let header = message.header();
    let deadline = deadline(&message);
    let mut run = Run {
        spawn: false,
        deadline,
        oneway: header.is_oneway(),
        seq: header.seq(),
        cancellable: header.peer() == Some(Peer::Client),
    };
    if header.is_heartbeat() {
        echo(&message, link);
        return run;
    }
    let request = Request::new(message, deadline, Arc::clone(link) as _);
    let settings = &link.parts().settings;
    match &settings.auth {
        Some(auth) => slot.run(authorized(auth.clone(), request, Arc::clone(link))),
        None if !settings.interceptors.0.is_empty() => {
            run.spawn = link.parts().router.wants_spawn(request.message());
            slot.run(intercepted(request, Arc::clone(link)));
        }
        // Decoding runs the argument's `Deserialize`, and perhaps a compressor of the user's.
        None => {
            let started = contain_panic(|| start(request, link, slot));
            run.spawn = started.unwrap_or_default();
        }
    }
    run
}

/// Answers that the server does not take the call.
pub(super) fn refuse(message: Message, link: &Arc<Link>, why: &str) {
    Request::new(message, None, Arc::clone(link) as _).refuse(why);
}

/// Sends a heartbeat back, every byte of it, as a response.
fn echo(message: &Message, link: &Link) {
    let header = message.header().with_response();
    let rest = message.as_bytes().get(Header::LEN..).unwrap_or_default();
    link.write(&mut |out| out.raw(header, rest));
}

/// Lets the service start, unless the caller has stopped waiting already.
fn start(request: Request, link: &Link, slot: &mut Slot) -> bool {
    if request.context().deadline().is_some_and(|deadline| deadline <= Instant::now()) {
        request.refuse(DEADLINE_EXCEEDED);
        return false;
    }
    link.parts().router.start(request, slot)
}

/// Serves a request if the auth hook agrees.
async fn authorized(auth: Auth, request: Request, link: Arc<Link>) {
    match auth.check(AuthRequest::new(&request)).await {
        Ok(()) if !link.parts().settings.interceptors.0.is_empty() => {
            Box::pin(intercepted(request, link)).await;
        }
        Ok(()) => {
            let mut slot = Slot::default();
            if start(request, &link, &mut slot) {
                // The method asks for a task of its own; this may still be the connection's.
                tokio::task::yield_now().await;
            }
            std::future::poll_fn(|cx| slot.poll(cx)).await;
        }
        Err(text) => request.fail_and_close(&text),
    }
}

/// Lets a request through the interceptors, and sends what comes back out of them.
async fn intercepted(mut request: Request, link: Arc<Link>) {
    let incoming = Incoming::new(&request, Arc::clone(&link));
    let extensions = incoming.extensions().clone();
    request.forget_large_payload();
    let closes = match Next::all(&link.parts().settings.interceptors).run(incoming).await {
        Ok(outgoing) => {
            request.deliver(outgoing.into_answer());
            false
        }
        Err(mut rejection) => {
            if rejection.is_not_executed() && extensions.has_begun() {
                // One interceptor has run it, perhaps to its end, and another one says this: whoever made the
                // call again might have it run twice.
                tracing::debug!(peer = ?link.peer(), "a call that has begun is said not to have run");
                rejection = rejection.into_error();
            }
            let closes = rejection.closes();
            request.deliver(rejection.into_answer());
            closes
        }
    };
    if closes {
        link.close();
    }
}

/// Reads the caller's deadline; what is no number of milliseconds is ignored, as by Go.
fn deadline(message: &Message) -> Option<Instant> {
    let value = message.metadata_value(reserved::SERVER_TIMEOUT)?;
    let milliseconds: i64 = std::str::from_utf8(value).ok()?.parse().ok()?;
    let left = Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0));
    Instant::now().checked_add(left)
}
