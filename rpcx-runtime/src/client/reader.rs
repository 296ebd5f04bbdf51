//! The task that reads what the server sends.

use super::connection::{Connection, Guard, Loss};
use super::push::Push;
use super::secure;
use crate::protocol::{DecodeError, Header, Kind, Message};
use crate::transport::{Fill, FrameReader, ReadHalf};

/// Reads until the connection ends, and ends it however the task itself ends, also if it never runs.
pub(super) async fn run(guard: Guard, reader: ReadHalf) {
    let connection = &guard.0;
    let mut frames = FrameReader::new(reader);
    let mut replies = Vec::new();
    loop {
        match std::future::poll_fn(|cx| frames.poll_fill(cx)).await {
            Ok(Fill::Bytes) => {}
            Ok(Fill::End) => return connection.lose(Loss::Closed),
            Err(error) => {
                tracing::debug!(address = %connection.address(), %error, "reading failed");
                let refusal = secure::refusal(&error).filter(|_| !frames.has_given());
                return connection.lose(refusal.map_or(Loss::Closed, Loss::Refused));
            }
        }
        let broken = loop {
            match frames.next(&connection.settings().messages.limits) {
                Ok(Some(message)) if message.header().is_leaving() => connection.leave(),
                Ok(Some(message)) if is_push(message.header()) => connection.push(&message),
                Ok(Some(message)) => replies.push(message),
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        connection.deliver(&mut replies);
        if let Some(error) = broken {
            let mismatch = match error {
                DecodeError::BadMagic(_) if !frames.has_given() => secure::mismatch(frames.bytes()),
                _ => None,
            };
            let loss = mismatch.map_or_else(|| Loss::Protocol(error.to_string()), Loss::Refused);
            return connection.lose(loss);
        }
    }
}

/// What a server sends on its own; anything else is matched by its number alone, as Go does.
fn is_push(header: Header) -> bool {
    header.kind() == Kind::Request && header.is_oneway() && !header.is_heartbeat()
}

impl Connection {
    fn push(&self, message: &Message) {
        let Some(handler) = &self.settings().on_push else { return };
        let push = Push::new(message);
        let handled = std::panic::AssertUnwindSafe(|| handler(push));
        if std::panic::catch_unwind(handled).is_err() {
            tracing::error!(address = %self.address(), "the push handler panicked");
        }
    }
}
