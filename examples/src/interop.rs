//! The services that the interop programs offer and check: the same as those of the Go peer.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use rpcx::{Bytes, Context, Error, Metadata, Result};
use serde::{Deserialize, Serialize};

pub use crate::arith::{Args, Reply};

/// A text.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TextArgs {
    /// The text.
    pub msg: String,
}

/// A time to wait.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SleepArgs {
    /// Milliseconds.
    pub ms: u32,
}

/// Nothing.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct MetaArgs {}

/// Metadata.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MetaReply {
    /// The pairs.
    pub meta: BTreeMap<String, String>,
}

/// What both sides of an interop test know.
#[rpcx::service]
#[rpcx(name = "Arith")]
pub trait Interop {
    /// Multiplies; wraps around, as Go does.
    #[rpcx(idempotent)]
    async fn mul(&self, args: Args) -> Result<Reply>;

    /// Adds; wraps around, as Go does.
    #[rpcx(idempotent)]
    async fn add(&self, args: Args) -> Result<Reply>;

    /// Fails with exactly that text.
    async fn error(&self, args: TextArgs) -> Result<Reply>;

    /// Waits.
    async fn sleep(&self, args: SleepArgs) -> Result<Reply>;

    /// Gives the bytes back.
    #[rpcx(idempotent)]
    async fn echo(&self, data: Bytes) -> Result<Bytes>;

    /// Panics.
    async fn panic(&self, args: TextArgs) -> Result<Reply>;

    /// Gives the request's metadata back, in the reply and, with `echo-` before each key, in the
    /// response's metadata.
    async fn meta(&self, context: &Context, args: MetaArgs) -> Result<MetaReply>;

    /// Adds `A` to a counter.
    async fn incr(&self, args: Args) -> Result<Reply>;

    /// Reads the counter.
    async fn count(&self, args: Args) -> Result<Reply>;

    /// Sends `A` messages to the caller's connection, then answers.
    async fn push(&self, context: &Context, args: Args) -> Result<Reply>;
}

/// The service behind [`Interop`].
#[derive(Debug, Default)]
pub struct Service {
    counter: AtomicI64,
}

impl Interop for Service {
    async fn mul(&self, args: Args) -> Result<Reply> {
        Ok(Reply { c: args.a.wrapping_mul(args.b) })
    }

    async fn add(&self, args: Args) -> Result<Reply> {
        Ok(Reply { c: args.a.wrapping_add(args.b) })
    }

    async fn error(&self, args: TextArgs) -> Result<Reply> {
        Err(Error::service(args.msg))
    }

    async fn sleep(&self, args: SleepArgs) -> Result<Reply> {
        tokio::time::sleep(Duration::from_millis(args.ms.into())).await;
        Ok(Reply { c: args.ms.into() })
    }

    async fn echo(&self, data: Bytes) -> Result<Bytes> {
        Ok(data)
    }

    async fn panic(&self, args: TextArgs) -> Result<Reply> {
        panic!("boom: {}", args.msg)
    }

    async fn meta(&self, context: &Context, _: MetaArgs) -> Result<MetaReply> {
        let mut meta = BTreeMap::new();
        for (key, value) in context.metadata().iter() {
            context.set_response_metadata(format!("echo-{key}"), value);
            meta.insert(key.to_owned(), value.to_owned());
        }
        Ok(MetaReply { meta })
    }

    async fn incr(&self, args: Args) -> Result<Reply> {
        Ok(Reply { c: self.counter.fetch_add(args.a, Ordering::Relaxed) + args.a })
    }

    async fn count(&self, _: Args) -> Result<Reply> {
        Ok(Reply { c: self.counter.load(Ordering::Relaxed) })
    }

    async fn push(&self, context: &Context, args: Args) -> Result<Reply> {
        let pusher = context.pusher().ok_or_else(|| Error::service("no connection"))?;
        for n in 0..args.a {
            let metadata: Metadata = [("n", n.to_string())].into_iter().collect();
            let sent = pusher.send("push", "note", &metadata, format!("note-{n}"));
            sent.map_err(|error| Error::service(error.to_string()))?;
        }
        Ok(Reply { c: args.a })
    }
}

/// Two numbers, as a protobuf message.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ProtoArgs {
    /// The first.
    #[prost(int32, tag = "1")]
    pub a: i32,
    /// The second.
    #[prost(int32, tag = "2")]
    pub b: i32,
}

/// One number, as a protobuf message.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ProtoReply {
    /// The result.
    #[prost(int32, tag = "1")]
    pub c: i32,
}

/// Arithmetic over protobuf.
#[rpcx::service]
#[rpcx(name = "PBArith", codec = "protobuf")]
pub trait PbArith {
    /// Multiplies; wraps around, as Go does.
    #[rpcx(idempotent)]
    async fn mul(&self, args: ProtoArgs) -> Result<ProtoReply>;
}

impl PbArith for Service {
    async fn mul(&self, args: ProtoArgs) -> Result<ProtoReply> {
        Ok(ProtoReply { c: args.a.wrapping_mul(args.b) })
    }
}
