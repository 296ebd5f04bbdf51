//! What a server does around calls.

pub(crate) mod alias;
pub(crate) mod blacklist;
pub(crate) mod function;
pub(crate) mod interceptor;
pub(crate) mod ratelimit;
pub(crate) mod trace;
