//! What wraps calls on the server's side, and who may connect.
//!
//! An [`Interceptor`] sees a call before it is served and after it is over, as one of a
//! [client](crate::client::interceptor) does. What it keeps in its own variables between the two is the
//! state that both share. [The guide](crate::guide::interceptors#at-the-server) tells when which of them
//! runs, what is ready-made, and which of Go's plugins is what here.

mod address_filter;
mod aliases;
mod client_address;
mod concurrency_limit;
mod incoming;
mod method_table;
#[cfg(feature = "metrics")]
mod metrics;
mod news;
mod next;
mod outgoing;
#[cfg(feature = "rate-limit")]
mod pace;
#[cfg(feature = "rate-limit")]
mod rate;
#[cfg(feature = "rate-limit")]
mod rate_limit;
mod tracing;

use std::future::Future;
use std::sync::Arc;

pub use self::address_filter::{AddressFilter, AddressFilterError};
pub use self::aliases::Aliases;
pub use self::concurrency_limit::ConcurrencyLimit;
pub use self::incoming::Incoming;
#[cfg(feature = "metrics")]
pub use self::metrics::Metrics;
pub use self::news::ConnectionInfo;
pub(super) use self::next::Interceptors;
pub use self::next::{BoxFuture, Next};
use self::outgoing::outcome_of;
pub use self::outgoing::{Outgoing, Rejection};
#[cfg(feature = "rate-limit")]
pub use self::rate::Rate;
#[cfg(feature = "rate-limit")]
pub use self::rate_limit::RateLimit;
pub use self::tracing::Tracing;

/// Wraps calls; it also admits connections and hears of them.
///
/// The interceptors of a server are nested: the one that was given to the builder first is the outermost.
/// They run after the [auth hook](crate::Server::auth) has agreed. They see one-way calls, calls of
/// services that are not there, and calls whose time is over on arrival; not heartbeats, and not calls
/// that are refused because too many run on their connection or the server holds too many bytes of requests.
///
/// A panic fails the call that it happened in, with a text that says nothing of it; one while a connection
/// is admitted refuses it; one at the news of a connection is logged.
///
/// Where a server has interceptors, each call's answer is collected before it is sent, and each
/// interceptor's part of a call is a future on the heap. Without interceptors none of that is paid for.
///
/// ```
/// use std::time::Instant;
/// use rpcx::server::interceptor::{Incoming, Interceptor, Next, Outgoing, Rejection};
///
/// /// Says how long each call took.
/// struct Timing;
///
/// impl Interceptor for Timing {
///     async fn call(&self, request: Incoming, next: Next<'_>) -> Result<Outgoing, Rejection> {
///         let (method, begun) = (request.method().to_owned(), Instant::now());
///         let mut reply = next.run(request).await?;
///         println!("{method} took {:?}", begun.elapsed());
///         reply.metadata_mut().insert("served-by", "vienna");
///         Ok(reply)
///     }
/// }
///
/// let server = rpcx::Server::new().interceptor(Timing);
/// ```
pub trait Interceptor: Send + Sync + 'static {
    /// Wraps a call.
    ///
    /// It may change the request, answer in the handler's place, look at the answer and change it, or
    /// refuse the call. When the caller gives up, when the connection ends or when the time of the call is
    /// over, this future is dropped at its `await`; but what waits behind `next` sees the end of that time
    /// as an answer with an error. What turns out to be too large to be sent becomes an error after all
    /// interceptors.
    ///
    /// # Errors
    ///
    /// The [`Rejection`] that the caller gets. An answer with the service's own error is no error here:
    /// see [`Outgoing::error`].
    fn call(
        &self,
        request: Incoming,
        next: Next<'_>,
    ) -> impl Future<Output = Result<Outgoing, Rejection>> + Send {
        next.run(request)
    }

    /// Says whether a connection is taken, before anything is read from it. It must not block.
    ///
    /// # Errors
    ///
    /// Why not, in words for the log; the connection is then closed without a word to the client.
    fn accept(&self, _connection: &ConnectionInfo) -> Result<(), String> {
        Ok(())
    }

    /// Hears that a connection was taken. It must not block.
    fn connected(&self, _connection: &ConnectionInfo) {}

    /// Hears that a connection was refused, by whichever interceptor. It must not block.
    fn refused(&self, _connection: &ConnectionInfo, _why: &str) {}

    /// Hears that a connection that was taken ended, whoever ended it. It must not block.
    fn disconnected(&self, _connection: &ConnectionInfo) {}
}

/// Those who clone one share its state.
impl<T: Interceptor> Interceptor for Arc<T> {
    fn call(
        &self,
        request: Incoming,
        next: Next<'_>,
    ) -> impl Future<Output = Result<Outgoing, Rejection>> + Send {
        T::call(self, request, next)
    }

    fn accept(&self, connection: &ConnectionInfo) -> Result<(), String> {
        T::accept(self, connection)
    }

    fn connected(&self, connection: &ConnectionInfo) {
        T::connected(self, connection);
    }

    fn refused(&self, connection: &ConnectionInfo, why: &str) {
        T::refused(self, connection, why);
    }

    fn disconnected(&self, connection: &ConnectionInfo) {
        T::disconnected(self, connection);
    }
}
