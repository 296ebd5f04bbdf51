//! Spans of calls, and the traces that they belong to.

use std::fmt;
use std::sync::Arc;

use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use super::{Incoming, Interceptor, Next, Outgoing, Rejection, outcome_of};
use crate::trace_context::TraceContext;

/// Makes each call a [`tracing`](https://docs.rs/tracing) span, and lets it belong to the trace of its
/// caller.
///
/// The span is `rpcx.serve` at level DEBUG, with `service`, `method`, `peer`, `outcome`, `trace_id`,
/// `span_id` and `parent_span_id`; no arguments, metadata or tokens. `outcome` is `ok`, `service_error`,
/// `internal_error`, `timeout`, `rejected`, `not_executed`, or `given_up`.
///
/// The trace is that of the metadata keys `traceparent` and `tracestate`, as Go's OpenTelemetry plugin sends
/// them; a call without, or with a wrong one, begins a trace. The call's own [`TraceContext`] is in the
/// [extensions](crate::Extensions), and [`TraceContext::current`] in the handler's task. What the handler
/// calls belongs to the same trace if the client has a
/// [`TracePropagation`](crate::client::TracePropagation), or the call [inherits](crate::client::Call::inherit)
/// from the handler's context.
///
/// ```
/// use rpcx::server::interceptor::Tracing;
///
/// let server = rpcx::Server::new().interceptor(Tracing::new());
/// ```
#[derive(Clone)]
pub struct Tracing {
    samples: bool,
    on_span: Option<OnSpan>,
}

type OnSpan = Arc<dyn Fn(&Span, Option<&TraceContext>) -> Option<TraceContext> + Send + Sync>;

impl Default for Tracing {
    fn default() -> Self {
        Self { samples: true, on_span: None }
    }
}

impl Tracing {
    /// Makes spans, and traces that ask to be recorded.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets traces that begin here not ask to be recorded; those of callers are as callers say.
    #[must_use]
    pub fn unsampled(mut self) -> Self {
        self.samples = false;
        self
    }

    /// Lets `on_span` tie each span to a tracing system of its own, before it is entered.
    ///
    /// It is given the span and the caller's trace, if there is one. What it gives back is the call's own
    /// trace, in place of one that is made here. [The guide](crate::guide::interceptors#opentelemetry) shows
    /// it with OpenTelemetry.
    #[must_use]
    pub fn on_span(
        mut self,
        on_span: impl Fn(&Span, Option<&TraceContext>) -> Option<TraceContext> + Send + Sync + 'static,
    ) -> Self {
        self.on_span = Some(Arc::new(on_span));
        self
    }

    /// Makes the span of a call, and what the call is in its trace.
    fn begin(&self, request: &Incoming) -> (Span, TraceContext) {
        let caller = TraceContext::of(request.metadata());
        let span = tracing::debug_span!(
            "rpcx.serve",
            service = request.service(),
            method = request.method(),
            peer = request.peer().map(tracing::field::display),
            outcome = Empty,
            trace_id = Empty,
            span_id = Empty,
            parent_span_id = Empty,
        );
        let tied = self.on_span.as_ref().and_then(|on_span| on_span(&span, caller.as_ref()));
        let own = tied.unwrap_or_else(|| match &caller {
            Some(caller) => caller.child(),
            None => TraceContext::root(self.samples),
        });
        if !span.is_none() {
            span.record("trace_id", tracing::field::display(own.trace_id()));
            span.record("span_id", tracing::field::display(own.span_id()));
            if let Some(caller) = &caller {
                span.record("parent_span_id", tracing::field::display(caller.span_id()));
            }
        }
        (span, own)
    }
}

impl Interceptor for Tracing {
    async fn call(&self, request: Incoming, next: Next<'_>) -> Result<Outgoing, Rejection> {
        let (span, own) = self.begin(&request);
        request.extensions().insert(own.clone());
        let mut ending = Ending { span, outcome: "given_up" };
        let serving = own.scope(next.run(request)).instrument(ending.span.clone());
        let result = serving.await;
        ending.outcome = outcome_of(&result);
        result
    }
}

/// Records how a call ended, also if it was dropped.
struct Ending {
    span: Span,
    outcome: &'static str,
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.span.record("outcome", self.outcome);
    }
}

impl fmt::Debug for Tracing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracing").field("samples", &self.samples).finish_non_exhaustive()
    }
}
