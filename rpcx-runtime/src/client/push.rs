//! What a server sends without being asked.

use std::fmt;
use std::sync::Arc;

use crate::codec::Bytes;
use crate::metadata::Metadata;
use crate::protocol::Message;

/// A message that a server sent without being asked.
///
/// A Go server sends it with `SendMessage`, ours with [`Pusher`](crate::context::Pusher).
#[derive(Clone, Debug)]
pub struct Push {
    service_path: String,
    service_method: String,
    metadata: Metadata,
    payload: Bytes,
}

impl Push {
    pub(super) fn new(message: &Message) -> Self {
        Self {
            service_path: String::from_utf8_lossy(message.service_path()).into_owned(),
            service_method: String::from_utf8_lossy(message.service_method()).into_owned(),
            metadata: message.metadata(),
            payload: message.payload().into(),
        }
    }

    /// Gives the service path that the server named.
    pub fn service_path(&self) -> &str {
        &self.service_path
    }

    /// Gives the method that the server named.
    pub fn service_method(&self) -> &str {
        &self.service_method
    }

    /// Gives the metadata.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Gives the payload, as the server wrote it.
    pub fn payload(&self) -> &Bytes {
        &self.payload
    }
}

/// The user's handler of pushed messages.
#[derive(Clone)]
pub(super) struct PushHandler(pub(super) Arc<dyn Fn(Push) + Send + Sync>);

impl std::ops::Deref for PushHandler {
    type Target = dyn Fn(Push) + Send + Sync;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl fmt::Debug for PushHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PushHandler")
    }
}
