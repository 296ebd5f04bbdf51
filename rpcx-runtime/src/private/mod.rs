//! What generated code names. Not for people: it may change with any release.

pub mod asked;
pub mod bounds;
mod mock;
mod typed_error;

pub use std::boxed::Box;
pub use std::string::String;
pub use std::sync::{Arc, Mutex};
pub use std::vec::Vec;

pub use self::bounds::{
    MethodResult, RpcArgument, RpcReply, argument, borrowed, borrowed_argument, error_type,
    no_arguments, reply,
};
#[cfg(feature = "protobuf")]
pub use self::bounds::{borrowed_message_argument, message_argument, message_reply};
pub use self::mock::{Answer, MockCalls, Mocked, lock, unmocked};
pub use self::typed_error::{OtherError, TypedError, TypedWire, other_error, typed_error};
pub use crate::arguments::*;
pub use crate::calls::*;
pub use crate::client::{Call, Channel, Client, ClientBuilder};
pub use crate::context::Context;
pub use crate::error::{Error, Result, ServiceError};
pub use crate::method::{Method, MethodInfo, ParameterInfo};
pub use crate::modes::{FailMode, RetryRule, SelectMode};
pub use crate::named_arguments::*;
pub use crate::protocol::{Compression, SerializeType};
pub use crate::registry_info::RegistryInfo;
#[cfg(feature = "schema")]
pub use crate::schema::{Described, MethodSchema, Schemas};
pub use crate::service::{Exchange, Request, Service, Slot};
pub use crate::service_info::ServiceInfo;
pub use crate::wire::{ErrorWire, Wire};
#[cfg(feature = "schema")]
pub use schemars::SchemaGenerator;

/// The future of a method that is called through a pointer.
pub type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;

macro_rules! feature_check {
    ($macro_name:ident, $feature:literal, $what:literal) => {
        #[cfg(feature = $feature)]
        #[doc(hidden)]
        #[macro_export]
        macro_rules! $macro_name {
            () => {};
        }

        #[cfg(not(feature = $feature))]
        #[doc(hidden)]
        #[macro_export]
        macro_rules! $macro_name {
            () => {
                ::core::compile_error! {
                    ::core::concat!(
                        $what, " needs the cargo feature `", $feature, "` of `rpcx-runtime`: in Cargo.toml write \
                         `rpcx-runtime = { …, features = [\"", $feature, "\"] }`",
                    )
                }
            };
        }

        pub use $macro_name;
    };
}

/// Keeps what the feature `schema` needs, and nothing without it.
#[cfg(feature = "schema")]
#[doc(hidden)]
#[macro_export]
macro_rules! __with_schema {
    ($($item:tt)*) => { $($item)* };
}

/// Keeps what the feature `schema` needs, and nothing without it.
#[cfg(not(feature = "schema"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __with_schema {
    ($($item:tt)*) => {};
}

pub use __with_schema;

feature_check!(__codec_json, "json", "codec \"json\"");
feature_check!(__codec_protobuf, "protobuf", "codec \"protobuf\"");
feature_check!(__derive_service_error, "json", "`derive(ServiceError)`");
feature_check!(__compress_gzip, "gzip", "compress \"gzip\"");
feature_check!(__registry_etcd, "etcd", "registry \"etcd\"");
feature_check!(__registry_zookeeper, "zookeeper", "registry \"zookeeper\"");
feature_check!(__registry_consul, "consul", "registry \"consul\"");
feature_check!(__registry_mdns, "mdns", "registry \"mdns\"");
