//! Counters of calls and connections, through the `metrics` facade.
//!
//! | name | kind | labels |
//! |---|---|---|
//! | `rpcx_server_calls_total` | counter | `service`, `method`, `outcome` |
//! | `rpcx_server_call_seconds` | histogram | `service`, `method` |
//! | `rpcx_server_calls_in_flight` | gauge | `service`, `method` |
//! | `rpcx_server_connections` | gauge | |
//! | `rpcx_server_connections_total` | counter | `outcome`: `accepted` or `refused` |

use std::time::Instant;

use metrics::{Label, counter, gauge, histogram};

use super::{ConnectionInfo, Incoming, Interceptor, Next, Outgoing, Rejection, outcome_of};

/// Counts calls and connections through the [`metrics`](https://docs.rs/metrics) facade: see
/// [the guide](crate::guide::interceptors#metrics). Needs the feature `metrics`.
///
/// Give it to the builder first: then it sees what other interceptors refuse. Calls of methods that the
/// server does not have are all counted as `unknown`, whatever a client called them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Metrics {}

impl Metrics {
    /// Counts with the recorder of the process.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Interceptor for Metrics {
    async fn call(&self, request: Incoming, next: Next<'_>) -> Result<Outgoing, Rejection> {
        let mut counted = Counted::begin(&request);
        let result = next.run(request).await;
        counted.outcome = outcome_of(&result);
        result
    }

    fn connected(&self, _: &ConnectionInfo) {
        counter!("rpcx_server_connections_total", "outcome" => "accepted").increment(1);
        gauge!("rpcx_server_connections").increment(1.0);
    }

    fn refused(&self, _: &ConnectionInfo, _: &str) {
        counter!("rpcx_server_connections_total", "outcome" => "refused").increment(1);
    }

    fn disconnected(&self, _: &ConnectionInfo) {
        gauge!("rpcx_server_connections").decrement(1.0);
    }
}

/// A call that is counted when it ends.
struct Counted {
    labels: Vec<Label>,
    begun: Instant,
    outcome: &'static str,
}

impl Counted {
    fn begin(request: &Incoming) -> Self {
        let (service, method) = request.target().unwrap_or(("unknown", "unknown"));
        let label = |name, value: &str| Label::new(name, value.to_owned());
        let labels = vec![label("service", service), label("method", method)];
        gauge!("rpcx_server_calls_in_flight", labels.clone()).increment(1.0);
        Self { labels, begun: Instant::now(), outcome: "given_up" }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut labels = std::mem::take(&mut self.labels);
        gauge!("rpcx_server_calls_in_flight", labels.clone()).decrement(1.0);
        histogram!("rpcx_server_call_seconds", labels.clone()).record(self.begun.elapsed());
        labels.push(Label::new("outcome", self.outcome));
        counter!("rpcx_server_calls_total", labels).increment(1);
    }
}
