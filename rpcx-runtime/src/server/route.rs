//! Functions that answer a method without a trait.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;

use crate::capture::Answer;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::private::bounds::{RpcArgument, RpcReply};
use crate::service::{Request, Slot};
use crate::wire::{ErrorWire, Wire};

/// A function and the names that it is called by.
pub(super) struct Route {
    pub(super) service: String,
    pub(super) method: String,
    pub(super) start: Box<Start>,
}

type Start = dyn Fn(Request, &mut Slot) + Send + Sync;

impl Route {
    /// For a function of values.
    pub(super) fn of_values<A, R, F, Fut>(service: String, method: String, function: F) -> Self
    where
        A: RpcArgument,
        R: RpcReply,
        F: Fn(Arc<Context>, A) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R>> + Send + 'static,
    {
        let function = Arc::new(function);
        let start = move |request: Request, slot: &mut Slot| {
            let Some((mut exchange, value)) = request.accept_as(Wire::serde()) else {
                return;
            };
            let context = Arc::new(exchange.context().share());
            let function = Arc::clone(&function);
            slot.run(async move {
                let result = function(Arc::clone(&context), value).await;
                exchange.set_response(context.take_response());
                exchange.answer_as(Wire::serde(), ErrorWire::<Error>::new(), result);
            });
        };
        Self { service, method, start: Box::new(start) }
    }

    /// For a function of bytes.
    pub(super) fn of_bytes<F, Fut>(service: String, method: String, function: F) -> Self
    where
        F: Fn(Arc<Context>, Bytes) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Bytes>> + Send + 'static,
    {
        let function = Arc::new(function);
        let start = move |request: Request, slot: &mut Slot| {
            let Some((mut exchange, payload)) = request.accept_bytes() else { return };
            let context = Arc::new(exchange.context().share());
            let function = Arc::clone(&function);
            slot.run(async move {
                match function(Arc::clone(&context), payload).await {
                    Ok(payload) => {
                        let metadata = context.take_response();
                        exchange.deliver(Answer { metadata, result: Ok(payload) });
                    }
                    Err(error) => {
                        exchange.set_response(context.take_response());
                        exchange.answer_as(Wire::nothing(), ErrorWire::<Error>::new(), Err(error));
                    }
                }
            });
        };
        Self { service, method, start: Box::new(start) }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.service, self.method)
    }
}
