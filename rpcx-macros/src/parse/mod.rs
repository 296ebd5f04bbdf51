//! From syntax to the model: all checks that need one item only.

mod address;
mod governance;
mod method;
mod param;
mod registry;
mod service;
mod types;

pub(crate) use self::{
    service::service,
    types::{instead_of_unsized, is_result, never_dyn, ungrouped},
};
