//! The service of the tests: what the Go peer offers, and a method that waits for the test.

use std::collections::BTreeMap;

use rpcx::{Bytes, Context, Error, Metadata, Result};
use serde::{Deserialize, Serialize};

use super::{Gate, Probe};

/// Two numbers.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Args {
    pub(crate) a: i64,
    pub(crate) b: i64,
}

/// One number.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Reply {
    pub(crate) c: i64,
}

/// A text.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Text {
    pub(crate) msg: String,
}

impl Text {
    pub(crate) fn new(msg: &str) -> Self {
        Self { msg: msg.to_owned() }
    }
}

/// Nothing.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Nothing {}

/// Metadata.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MetaReply {
    pub(crate) meta: BTreeMap<String, String>,
}

#[rpcx::service]
#[rpcx(name = "Arith")]
pub(crate) trait Interop {
    /// Multiplies.
    #[rpcx(idempotent)]
    async fn mul(&self, args: Args) -> Result<Reply>;

    /// Fails with exactly that text.
    async fn error(&self, args: Text) -> Result<Reply>;

    /// Gives the bytes back.
    #[rpcx(idempotent)]
    async fn echo(&self, data: Bytes) -> Result<Bytes>;

    /// Panics with that text.
    async fn panic(&self, args: Text) -> Result<Reply>;

    /// Gives the request's metadata back, in the reply and, with `echo-` before each key, in the
    /// response's metadata. Fails if there is a key `fail`.
    async fn meta(&self, context: &Context, args: Nothing) -> Result<MetaReply>;

    /// Sends `A` messages to the caller's connection, then answers.
    async fn push(&self, context: &Context, args: Args) -> Result<Reply>;

    /// Waits until the test lets that name through.
    async fn wait(&self, args: Text) -> Result<Text>;
}

/// What [`Interop`] does.
#[derive(Debug)]
pub(crate) struct Tester {
    gate: Gate,
}

impl Tester {
    pub(crate) fn new() -> (Self, Probe) {
        let (gate, probe) = Probe::new();
        (Self { gate }, probe)
    }

    /// For tests in which no handler waits.
    pub(crate) fn service() -> InteropServer<Self> {
        InteropServer::new(Self::new().0)
    }

    /// For tests in which handlers wait.
    pub(crate) fn gated() -> (InteropServer<Self>, Probe) {
        let (tester, probe) = Self::new();
        (InteropServer::new(tester), probe)
    }
}

impl Interop for Tester {
    async fn mul(&self, args: Args) -> Result<Reply> {
        Ok(Reply { c: args.a.wrapping_mul(args.b) })
    }

    async fn error(&self, args: Text) -> Result<Reply> {
        Err(Error::service(args.msg))
    }

    async fn echo(&self, data: Bytes) -> Result<Bytes> {
        Ok(data)
    }

    async fn panic(&self, args: Text) -> Result<Reply> {
        panic!("boom: {}", args.msg)
    }

    async fn meta(&self, context: &Context, _: Nothing) -> Result<MetaReply> {
        let mut meta = BTreeMap::new();
        for (key, value) in context.metadata().iter() {
            context.set_response_metadata(format!("echo-{key}"), value);
            meta.insert(key.to_owned(), value.to_owned());
        }
        match meta.get("fail") {
            Some(text) => Err(Error::service(text)),
            None => Ok(MetaReply { meta }),
        }
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

    async fn wait(&self, args: Text) -> Result<Text> {
        self.gate.pass(&args.msg).await;
        Ok(args)
    }
}
