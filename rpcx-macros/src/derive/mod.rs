//! The derive macros, each from tokens to tokens.

mod service_error;

pub(crate) use self::service_error::service_error;
