//! The bounds on a user's types, asked once, where the type is written.
//!
//! One function a line: compile errors quote these lines, see `ui-tests`.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::asked::Asked;
use crate::error::ServiceError;
use crate::wire::{ErrorWire, Wire};

/// A type that can be an argument.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an RPC argument",
    label = "not serializable",
    note = "an argument is owned, `Send`, and implements `serde::Serialize` and `serde::Deserialize`; add `#[derive(serde::Serialize, serde::Deserialize)]` to `{Self}`"
)]
pub trait RpcArgument: Serialize + DeserializeOwned + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + 'static> RpcArgument for T {}

/// A type that can be a reply.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an RPC reply",
    label = "not serializable",
    note = "a reply is owned, `Send`, and implements `serde::Serialize` and `serde::Deserialize`; add `#[derive(serde::Serialize, serde::Deserialize)]` to `{Self}`"
)]
pub trait RpcReply: Serialize + DeserializeOwned + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + 'static> RpcReply for T {}

/// A type that can be an argument of a service whose codec is protobuf.
#[cfg(feature = "protobuf")]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a protobuf service",
    label = "not a protobuf message",
    note = "with `codec = \"protobuf\"` an argument is a `prost::Message`; add `#[derive(prost::Message)]` to `{Self}`"
)]
pub trait MessageArgument: prost::Message + Default + 'static {}

#[cfg(feature = "protobuf")]
#[diagnostic::do_not_recommend]
impl<T: prost::Message + Default + 'static> MessageArgument for T {}

/// A type that can be a reply of a service whose codec is protobuf.
#[cfg(feature = "protobuf")]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a reply of a protobuf service",
    label = "not a protobuf message",
    note = "with `codec = \"protobuf\"` a reply is a `prost::Message`; add `#[derive(prost::Message)]` to `{Self}`"
)]
pub trait MessageReply: prost::Message + Default + 'static {}

#[cfg(feature = "protobuf")]
#[diagnostic::do_not_recommend]
impl<T: prost::Message + Default + 'static> MessageReply for T {}

/// What an RPC method returns.
#[diagnostic::on_unimplemented(
    message = "an RPC method must return a `Result`, not `{Self}`",
    label = "write `rpcx::Result<{Self}>`",
    note = "a remote call can fail, so every method says so"
)]
pub trait MethodResult {
    type Ok;
    type Err;

    fn into_result(self) -> Result<Self::Ok, Self::Err>;
}

impl<T, E> MethodResult for Result<T, E> {
    type Ok = T;
    type Err = E;

    fn into_result(self) -> Self {
        self
    }
}

pub const fn no_arguments() -> Wire<()> {
    Wire::nothing()
}

#[rustfmt::skip]
pub const fn argument<T: RpcArgument>() -> Asked<T> { Asked::new(Wire::serde()) }

#[rustfmt::skip]
pub const fn borrowed_argument<T: RpcArgument + Sync>() -> Asked<T> { Asked::new(Wire::serde()) }

#[rustfmt::skip]
pub const fn reply<T: RpcReply>() -> Asked<T> { Asked::new(Wire::serde()) }

#[cfg(feature = "protobuf")]
#[rustfmt::skip]
pub const fn message_argument<T: MessageArgument>() -> Asked<T> { Asked::new(Wire::message()) }

#[cfg(feature = "protobuf")]
#[rustfmt::skip]
pub const fn borrowed_message_argument<T: MessageArgument + Sync>() -> Asked<T> { Asked::new(Wire::message()) }

#[cfg(feature = "protobuf")]
#[rustfmt::skip]
pub const fn message_reply<T: MessageReply>() -> Asked<T> { Asked::new(Wire::message()) }

#[rustfmt::skip]
pub const fn borrowed<T: Sync>() {}

#[rustfmt::skip]
pub const fn error_type<E: ServiceError>() -> ErrorWire<E> { ErrorWire::new() }
