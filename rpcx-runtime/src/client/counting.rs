//! Counters of calls, through the `metrics` facade.
//!
//! | name | kind | labels |
//! |---|---|---|
//! | `rpcx_client_calls_total` | counter | `service`, `method`, `outcome` |
//! | `rpcx_client_call_seconds` | histogram | `service`, `method` |
//! | `rpcx_client_attempts_total` | counter | `server`, `outcome` |
//! | `rpcx_client_connections` | gauge | `server` |
//!
//! `outcome` is the word that the spans have. A call that its caller gave up is `given_up`.

use std::time::Instant;

use metrics::{Label, counter, gauge, histogram};

use crate::address::Address;

/// A call, or an attempt, that is to be counted when it ends.
pub(super) struct Counted {
    what: Option<What>,
}

enum What {
    Call { service: String, method: &'static str, begun: Instant },
    Attempt { server: String },
}

impl Counted {
    pub(super) fn call(service: &str, method: &'static str) -> Self {
        Self {
            what: Some(What::Call { service: service.to_owned(), method, begun: Instant::now() }),
        }
    }

    pub(super) fn attempt(server: &Address) -> Self {
        Self { what: Some(What::Attempt { server: server.to_string() }) }
    }

    pub(super) fn ended(mut self, outcome: &'static str) {
        self.count(outcome);
    }

    fn count(&mut self, outcome: &'static str) {
        match self.what.take() {
            None => {}
            Some(What::Attempt { server }) => {
                counter!("rpcx_client_attempts_total", "server" => server, "outcome" => outcome)
                    .increment(1);
            }
            Some(What::Call { service, method, begun }) => {
                let labels = vec![Label::new("service", service), Label::new("method", method)];
                histogram!("rpcx_client_call_seconds", labels.clone()).record(begun.elapsed());
                let labels = [labels, vec![Label::new("outcome", outcome)]].concat();
                counter!("rpcx_client_calls_total", labels).increment(1);
            }
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.count("given_up");
    }
}

/// Notes that a connection was opened.
pub(super) fn connected(server: &Address) {
    gauge!("rpcx_client_connections", "server" => server.to_string()).increment(1.0);
}

/// Notes that a connection ended.
pub(super) fn disconnected(server: &Address) {
    gauge!("rpcx_client_connections", "server" => server.to_string()).decrement(1.0);
}
