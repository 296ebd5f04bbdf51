//! The calls that generated clients make, by the number of parameters.
//!
//! Each is one expression in generated code: what it is made of costs the compiler time in every
//! method of every service, here it does so once.

use crate::arguments::{
    Named, NoArguments, One, ToArg, named2, named3, named4, named5, named6, named7, named8, named9,
    named10, named11, named12,
};
use crate::client::{Call, CallFuture, Channel};
use crate::method::Method;

/// What awaiting a call awaits, by a name: see the client's implementation of the trait.
///
/// It is the type itself and not `<Call as IntoFuture>::IntoFuture`, which the compiler would have to work out
/// in every method.
pub type CallingFuture<'a, A, R, E> = CallFuture<&'a Channel, A, R, E>;

/// Makes a call without arguments.
pub const fn call0<'a, T, R, E>(
    channel: &'a Channel,
    method: &Method<T, R, E>,
) -> Call<'a, NoArguments, R, E> {
    Call::new(channel, method, NoArguments)
}

/// Makes a call with one argument.
pub const fn call1<'a, X: ToArg<T>, T, R, E>(
    channel: &'a Channel,
    method: &Method<T, R, E>,
    value: X,
) -> Call<'a, One<X, T>, R, E> {
    Call::new(channel, method, One::new(value, method.arguments()))
}

macro_rules! call {
    ($call:ident, $named:ident, $($X:ident $T:ident $value:ident),+) => {
        /// Makes a call with several arguments.
        #[allow(clippy::too_many_arguments, reason = "as many as a method has")]
        pub const fn $call<'a, $($X: ToArg<$T>, $T: 'static,)+ R, E>(
            channel: &'a Channel,
            method: &Method<($($T,)+), R, E>,
            $($value: $X,)+
        ) -> Call<'a, Named<($($X,)+), ($($T,)+)>, R, E> {
            Call::new(channel, method, $named(($($value,)+), method.arguments()))
        }
    };
}

call!(call2, named2, X1 T1 a, X2 T2 b);
call!(call3, named3, X1 T1 a, X2 T2 b, X3 T3 c);
call!(call4, named4, X1 T1 a, X2 T2 b, X3 T3 c, X4 T4 d);
call!(call5, named5, X1 T1 a, X2 T2 b, X3 T3 c, X4 T4 d, X5 T5 e);
call!(call6, named6, X1 T1 a, X2 T2 b, X3 T3 c, X4 T4 d, X5 T5 e, X6 T6 f);
call!(call7, named7, X1 T1 a, X2 T2 b, X3 T3 c, X4 T4 d, X5 T5 e, X6 T6 f, X7 T7 g);
call!(call8, named8, X1 T1 a, X2 T2 b, X3 T3 c, X4 T4 d, X5 T5 e, X6 T6 f, X7 T7 g, X8 T8 h);
call!(call9, named9, X1 T1 a, X2 T2 b, X3 T3 c, X4 T4 d, X5 T5 e, X6 T6 f, X7 T7 g, X8 T8 h, X9 T9 i);
call!(call10, named10, X1 T1 a, X2 T2 b, X3 T3 c, X4 T4 d, X5 T5 e, X6 T6 f, X7 T7 g, X8 T8 h, X9 T9 i, X10 T10 j);
call!(call11, named11, X1 T1 a, X2 T2 b, X3 T3 c, X4 T4 d, X5 T5 e, X6 T6 f, X7 T7 g, X8 T8 h, X9 T9 i, X10 T10 j, X11 T11 k);
call!(call12, named12, X1 T1 a, X2 T2 b, X3 T3 c, X4 T4 d, X5 T5 e, X6 T6 f, X7 T7 g, X8 T8 h, X9 T9 i, X10 T10 j, X11 T11 k, X12 T12 l);
