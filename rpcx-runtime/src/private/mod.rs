//! What generated code names. Not for people: it may change with any release.

pub mod bounds;
pub mod probe;

pub use std::string::String;
pub use std::sync::Arc;
pub use std::vec::Vec;

pub use self::bounds::{
    MethodResult, RpcArgument, RpcReply, argument, borrowed, borrowed_argument, error_type,
    no_arguments, reply,
};
#[cfg(feature = "protobuf")]
pub use self::bounds::{borrowed_message_argument, message_argument, message_reply};
pub use crate::arguments::*;
pub use crate::client::{Call, Channel, Client, ClientBuilder};
pub use crate::context::Context;
pub use crate::error::{Result, ServiceError};
pub use crate::method::{Method, MethodInfo};
pub use crate::named_arguments::*;
pub use crate::protocol::{Compression, SerializeType};
pub use crate::registry_info::RegistryInfo;
pub use crate::service::{Exchange, Request, Service, Slot};
pub use crate::service_info::{FailMode, SelectMode, ServiceInfo};
pub use crate::wire::{ErrorWire, Wire};

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
                    ::core::concat!($what, " needs the cargo feature `", $feature, "` of `rpcx-runtime`")
                }
            };
        }

        pub use $macro_name;
    };
}

feature_check!(__codec_json, "json", "codec \"json\"");
feature_check!(__codec_protobuf, "protobuf", "codec \"protobuf\"");
feature_check!(__compress_gzip, "gzip", "compress \"gzip\"");
feature_check!(__registry_etcd, "etcd", "registry \"etcd\"");
feature_check!(__registry_zookeeper, "zookeeper", "registry \"zookeeper\"");
feature_check!(__registry_consul, "consul", "registry \"consul\"");
feature_check!(__registry_mdns, "mdns", "registry \"mdns\"");
