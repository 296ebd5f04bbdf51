//! Lets calls belong to the trace of the call that they are made for.

use std::fmt;
use std::sync::Arc;

use super::interceptor::{Incoming, Interceptor, Next, Outgoing};
use crate::error::Result;
use crate::trace_context::TraceContext;

/// Tells servers which trace a call belongs to, in the metadata keys `traceparent` and `tracestate`.
///
/// It is an [`Interceptor`]. The trace is the [current](TraceContext::current) one: in a handler of a server
/// with [`Tracing`](crate::server::interceptor::Tracing), that of the call that is served. Elsewhere each
/// call begins one. A call that has a `traceparent` already keeps it. Go's OpenTelemetry plugin reads these
/// keys.
///
/// ```
/// # use rpcx::Client as _;
/// use rpcx::client::{Channel, TracePropagation};
///
/// let builder = Channel::builder().interceptor(TracePropagation::new());
/// ```
#[derive(Clone, Default)]
pub struct TracePropagation {
    source: Option<Source>,
}

type Source = Arc<dyn Fn() -> Option<TraceContext> + Send + Sync>;

impl TracePropagation {
    /// Passes the current trace on.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks `source` in the caller's task for the trace of each call; where it has none, the current one
    /// counts. For a tracing system of its own: see [the guide](crate::guide::interceptors#opentelemetry).
    #[must_use]
    pub fn from_source(source: impl Fn() -> Option<TraceContext> + Send + Sync + 'static) -> Self {
        Self { source: Some(Arc::new(source)) }
    }

    fn trace(&self) -> TraceContext {
        let told = self.source.as_ref().and_then(|source| source());
        told.or_else(TraceContext::current).unwrap_or_else(|| TraceContext::root(true))
    }
}

impl Interceptor for TracePropagation {
    async fn call(&self, mut request: Outgoing, next: Next<'_>) -> Result<Incoming> {
        if TraceContext::of(request.metadata()).is_none() {
            self.trace().write(request.metadata_mut());
        }
        next.run(request).await
    }
}

impl fmt::Debug for TracePropagation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TracePropagation").finish_non_exhaustive()
    }
}
