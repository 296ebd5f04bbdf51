//! The methods of an implementation as values, and the futures that run them.
//!
//! What a method gives borrows the implementation, so the two together are an `async` block. One in each
//! method of each service would be a third of what generated code costs the compiler; here stand two for
//! all of them.

use std::future::Future;
use std::sync::Arc;

use crate::context::Context;
use crate::method::Method;
use crate::private::bounds::MethodResult;
use crate::service::{Exchange, Slot};

/// A method that takes a tuple of arguments, as the function that it is: it has a future for each lifetime.
pub trait Handler<'a, S, A, Ret> {
    /// Ready with what the method returns.
    type Running: Future<Output = Ret> + Send + 'a;

    /// Runs the method.
    fn run(self, service: &'a S, arguments: A) -> Self::Running;
}

/// The same of a method that takes the context too.
pub trait ContextHandler<'a, S, A, Ret> {
    /// Ready with what the method returns.
    type Running: Future<Output = Ret> + Send + 'a;

    /// Runs the method.
    fn run(self, service: &'a S, context: &'a Context, arguments: A) -> Self::Running;
}

macro_rules! handlers {
    ($($A:ident $argument:ident),*) => {
        impl<'a, S: 'a, $($A,)* Ret, F, Running> Handler<'a, S, ($($A,)*), Ret> for F
        where
            F: FnOnce(&'a S, $($A),*) -> Running,
            Running: Future<Output = Ret> + Send + 'a,
        {
            type Running = Running;

            fn run(self, service: &'a S, ($($argument,)*): ($($A,)*)) -> Running {
                self(service, $($argument),*)
            }
        }

        impl<'a, S: 'a, $($A,)* Ret, F, Running> ContextHandler<'a, S, ($($A,)*), Ret> for F
        where
            F: FnOnce(&'a S, &'a Context, $($A),*) -> Running,
            Running: Future<Output = Ret> + Send + 'a,
        {
            type Running = Running;

            fn run(
                self,
                service: &'a S,
                context: &'a Context,
                ($($argument,)*): ($($A,)*),
            ) -> Running {
                self(service, context, $($argument),*)
            }
        }
    };
}

handlers!();
handlers!(A1 a);
handlers!(A1 a, A2 b);
handlers!(A1 a, A2 b, A3 c);
handlers!(A1 a, A2 b, A3 c, A4 d);
handlers!(A1 a, A2 b, A3 c, A4 d, A5 e);
handlers!(A1 a, A2 b, A3 c, A4 d, A5 e, A6 f);
handlers!(A1 a, A2 b, A3 c, A4 d, A5 e, A6 f, A7 g);
handlers!(A1 a, A2 b, A3 c, A4 d, A5 e, A6 f, A7 g, A8 h);
handlers!(A1 a, A2 b, A3 c, A4 d, A5 e, A6 f, A7 g, A8 h, A9 i);
handlers!(A1 a, A2 b, A3 c, A4 d, A5 e, A6 f, A7 g, A8 h, A9 i, A10 j);
handlers!(A1 a, A2 b, A3 c, A4 d, A5 e, A6 f, A7 g, A8 h, A9 i, A10 j, A11 k);
handlers!(A1 a, A2 b, A3 c, A4 d, A5 e, A6 f, A7 g, A8 h, A9 i, A10 j, A11 k, A12 l);

impl Slot {
    /// Fills the slot with a handler that does without the context.
    ///
    /// The method's description is a function until it is needed: its value would make the future larger.
    pub fn serve<O, S, A, M, Ret, H>(
        &mut self,
        exchange: Exchange,
        method: fn() -> Method<M, Ret::Ok, Ret::Err>,
        owner: Arc<O>,
        service: fn(&O) -> &S,
        arguments: A,
        handler: H,
    ) where
        O: Send + Sync + 'static,
        S: Sync + 'static,
        A: Send + 'static,
        M: 'static,
        Ret: MethodResult + 'static,
        H: for<'a> Handler<'a, S, A, Ret> + Send + 'static,
    {
        self.run(async move {
            let result = handler.run(service(&owner), arguments).await;
            exchange.answer(&method(), result);
        });
    }

    /// Fills the slot with a handler that takes the context.
    pub fn serve_in_context<O, S, A, M, Ret, H>(
        &mut self,
        exchange: Exchange,
        method: fn() -> Method<M, Ret::Ok, Ret::Err>,
        owner: Arc<O>,
        service: fn(&O) -> &S,
        arguments: A,
        handler: H,
    ) where
        O: Send + Sync + 'static,
        S: Sync + 'static,
        A: Send + 'static,
        M: 'static,
        Ret: MethodResult + 'static,
        H: for<'a> ContextHandler<'a, S, A, Ret> + Send + 'static,
    {
        self.run(async move {
            let result = handler.run(service(&owner), exchange.context(), arguments).await;
            exchange.answer(&method(), result);
        });
    }
}
