//! How interceptors follow each other.

use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::FutureExt as _;

use super::news::tell;
use super::{ConnectionInfo, Incoming, Interceptor, Outgoing, Rejection};
use crate::capture::INTERNAL_ERROR;
use crate::service::{contain_panic, forget_panic, next_incident};

/// What comes after an interceptor: the next one, and at last the service.
#[derive(Clone, Copy)]
pub struct Next<'a> {
    rest: &'a [Arc<dyn Layer>],
}

impl<'a> Next<'a> {
    /// Begins with the outermost.
    pub(in crate::server) fn all(interceptors: &'a Interceptors) -> Self {
        Self { rest: &interceptors.0 }
    }

    /// Goes on.
    ///
    /// # Errors
    ///
    /// The [`Rejection`] of an interceptor further in, or of the server itself: the call's time was over
    /// before it began.
    pub fn run(self, request: Incoming) -> BoxFuture<'a, Result<Outgoing, Rejection>> {
        match self.rest.split_first() {
            Some((first, rest)) => first.call(request, Self { rest }),
            None => Box::pin(request.serve()),
        }
    }
}

impl fmt::Debug for Next<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Next").field("interceptors", &self.rest.len()).finish_non_exhaustive()
    }
}

/// A future on the heap.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// An interceptor whose futures are on the heap.
pub(in crate::server) trait Layer: Send + Sync {
    fn call<'a>(
        &'a self,
        request: Incoming,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Outgoing, Rejection>>;
    fn accept(&self, connection: &ConnectionInfo) -> Result<(), String>;
    fn connected(&self, connection: &ConnectionInfo);
    fn refused(&self, connection: &ConnectionInfo, why: &str);
    fn disconnected(&self, connection: &ConnectionInfo);
}

impl<T: Interceptor> Layer for T {
    fn call<'a>(
        &'a self,
        request: Incoming,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Outgoing, Rejection>> {
        // In the future, not before it: a method that is no `async fn` may panic at once.
        let call = async move { Interceptor::call(self, request, next).await };
        Box::pin(AssertUnwindSafe(call).catch_unwind().map(|ended| {
            ended.unwrap_or_else(|panic| {
                forget_panic(panic);
                Err(panicked::<T>())
            })
        }))
    }

    fn accept(&self, connection: &ConnectionInfo) -> Result<(), String> {
        let admitted = contain_panic(|| Interceptor::accept(self, connection));
        admitted.unwrap_or_else(|| Err("an interceptor panicked".to_owned()))
    }

    fn connected(&self, connection: &ConnectionInfo) {
        tell(connection, || Interceptor::connected(self, connection));
    }

    fn refused(&self, connection: &ConnectionInfo, why: &str) {
        tell(connection, || Interceptor::refused(self, connection, why));
    }

    fn disconnected(&self, connection: &ConnectionInfo) {
        tell(connection, || Interceptor::disconnected(self, connection));
    }
}

/// Says that an interceptor panicked, without a word of the panic.
fn panicked<T>() -> Rejection {
    let (interceptor, incident) = (std::any::type_name::<T>(), next_incident());
    tracing::error!(interceptor, incident, "an interceptor panicked");
    Rejection::error(format!("{INTERNAL_ERROR} an interceptor panicked, incident {incident}"))
}

/// The interceptors of a server, the outermost first.
#[derive(Clone, Default)]
pub(in crate::server) struct Interceptors(pub(in crate::server) Vec<Arc<dyn Layer>>);

impl fmt::Debug for Interceptors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interceptors").field("count", &self.0.len()).finish()
    }
}
