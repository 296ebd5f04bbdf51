//! Who may call.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use crate::metadata::reserved;
use crate::service::Request;
#[cfg(feature = "tls")]
use crate::tls::PeerIdentity;

/// What a server's auth hook is asked about.
///
/// `Debug` does not show the token.
#[derive(Clone)]
pub struct AuthRequest {
    token: String,
    service_path: String,
    service_method: String,
    peer: Option<SocketAddr>,
    #[cfg(feature = "tls")]
    identity: Option<PeerIdentity>,
}

impl AuthRequest {
    pub(super) fn new(request: &Request) -> Self {
        let message = request.message();
        let token = message.metadata_value(reserved::AUTH).unwrap_or_default();
        Self {
            token: String::from_utf8_lossy(token).into_owned(),
            service_path: String::from_utf8_lossy(message.service_path()).into_owned(),
            service_method: String::from_utf8_lossy(message.service_method()).into_owned(),
            peer: request.context().peer(),
            #[cfg(feature = "tls")]
            identity: request.context().peer_identity().cloned(),
        }
    }

    /// Gives the token; empty if the client sent none.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Gives the service that is called.
    pub fn service_path(&self) -> &str {
        &self.service_path
    }

    /// Gives the method that is called.
    pub fn service_method(&self) -> &str {
        &self.service_method
    }

    /// Gives the caller's address; `None` unless the call came over TCP.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// Gives who the caller has proved to be: its certificate, if the server asks for one and this client has
    /// shown one. Needs the feature `tls`.
    #[cfg(feature = "tls")]
    pub fn peer_identity(&self) -> Option<&PeerIdentity> {
        self.identity.as_ref()
    }
}

impl fmt::Debug for AuthRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthRequest")
            .field("service_path", &self.service_path)
            .field("service_method", &self.service_method)
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

type Verdict = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// The user's auth hook.
#[derive(Clone)]
pub(super) struct Auth(Arc<dyn Fn(AuthRequest) -> Verdict + Send + Sync>);

impl Auth {
    pub(super) fn new<F, Fut, E>(check: F) -> Self
    where
        F: Fn(AuthRequest) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: fmt::Display + 'static,
    {
        Self(Arc::new(move |request| {
            let verdict = check(request);
            Box::pin(async move { verdict.await.map_err(|error| error.to_string()) })
        }))
    }

    pub(super) async fn check(&self, request: AuthRequest) -> Result<(), String> {
        (self.0)(request).await
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Auth")
    }
}
