//! The services of the benchmark: the messages of rpcx-benchmark, and their service.

use rpcx::{Bytes, Result};
use serde::{Deserialize, Serialize};

/// The message of rpcx-benchmark: 40 fields, 581 bytes as protobuf when all are set.
#[derive(Clone, PartialEq, Deserialize, Serialize, prost::Message)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the fields are numbered, not named")]
pub struct BenchmarkMessage {
    #[prost(string, required, tag = "1")]
    pub field1: String,
    #[prost(string, required, tag = "9")]
    pub field9: String,
    #[prost(string, required, tag = "18")]
    pub field18: String,
    #[prost(bool, optional, tag = "80")]
    pub field80: Option<bool>,
    #[prost(bool, optional, tag = "81")]
    pub field81: Option<bool>,
    #[prost(int32, required, tag = "2")]
    pub field2: i32,
    #[prost(int32, required, tag = "3")]
    pub field3: i32,
    #[prost(int32, required, tag = "280")]
    pub field280: i32,
    #[prost(int32, optional, tag = "6")]
    pub field6: Option<i32>,
    #[prost(int64, required, tag = "22")]
    pub field22: i64,
    #[prost(string, required, tag = "4")]
    pub field4: String,
    #[prost(fixed64, repeated, packed = "false", tag = "5")]
    pub field5: Vec<u64>,
    #[prost(bool, optional, tag = "59")]
    pub field59: Option<bool>,
    #[prost(string, required, tag = "7")]
    pub field7: String,
    #[prost(int32, required, tag = "16")]
    pub field16: i32,
    #[prost(int32, optional, tag = "130")]
    pub field130: Option<i32>,
    #[prost(bool, optional, tag = "12")]
    pub field12: Option<bool>,
    #[prost(bool, optional, tag = "17")]
    pub field17: Option<bool>,
    #[prost(bool, optional, tag = "13")]
    pub field13: Option<bool>,
    #[prost(bool, optional, tag = "14")]
    pub field14: Option<bool>,
    #[prost(int32, optional, tag = "104")]
    pub field104: Option<i32>,
    #[prost(int32, optional, tag = "100")]
    pub field100: Option<i32>,
    #[prost(int32, optional, tag = "101")]
    pub field101: Option<i32>,
    #[prost(string, required, tag = "102")]
    pub field102: String,
    #[prost(string, required, tag = "103")]
    pub field103: String,
    #[prost(int32, optional, tag = "29")]
    pub field29: Option<i32>,
    #[prost(bool, optional, tag = "30")]
    pub field30: Option<bool>,
    #[prost(int32, optional, tag = "60")]
    pub field60: Option<i32>,
    #[prost(int32, optional, tag = "271")]
    pub field271: Option<i32>,
    #[prost(int32, optional, tag = "272")]
    pub field272: Option<i32>,
    #[prost(int32, required, tag = "150")]
    pub field150: i32,
    #[prost(int32, optional, tag = "23")]
    pub field23: Option<i32>,
    #[prost(bool, optional, tag = "24")]
    pub field24: Option<bool>,
    #[prost(int32, optional, tag = "25")]
    pub field25: Option<i32>,
    #[prost(bool, required, tag = "78")]
    pub field78: bool,
    #[prost(int32, optional, tag = "67")]
    pub field67: Option<i32>,
    #[prost(int32, required, tag = "68")]
    pub field68: i32,
    #[prost(int32, optional, tag = "128")]
    pub field128: Option<i32>,
    #[prost(string, optional, tag = "129")]
    pub field129: Option<String>,
    #[prost(int32, optional, tag = "131")]
    pub field131: Option<i32>,
}

impl BenchmarkMessage {
    /// Makes the message that the benchmark sends: every field set.
    pub fn prepare() -> Self {
        Self {
            field1: TEXT.to_owned(),
            field9: TEXT.to_owned(),
            field18: TEXT.to_owned(),
            field80: Some(true),
            field81: Some(true),
            field2: 100_000,
            field3: 100_000,
            field280: 100_000,
            field6: Some(100_000),
            field22: 100_000,
            field4: TEXT.to_owned(),
            field5: Vec::new(),
            field59: Some(true),
            field7: TEXT.to_owned(),
            field16: 100_000,
            field130: Some(100_000),
            field12: Some(true),
            field17: Some(true),
            field13: Some(true),
            field14: Some(true),
            field104: Some(100_000),
            field100: Some(100_000),
            field101: Some(100_000),
            field102: TEXT.to_owned(),
            field103: TEXT.to_owned(),
            field29: Some(100_000),
            field30: Some(true),
            field60: Some(100_000),
            field271: Some(100_000),
            field272: Some(100_000),
            field150: 100_000,
            field23: Some(100_000),
            field24: Some(true),
            field25: Some(100_000),
            field78: true,
            field67: Some(100_000),
            field68: 100_000,
            field128: Some(100_000),
            field129: Some(TEXT.to_owned()),
            field131: Some(100_000),
        }
    }
}

/// Bytes in a field.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Blob {
    /// The bytes.
    pub data: Bytes,
}

/// Two numbers.
#[derive(Clone, PartialEq, Deserialize, Serialize, prost::Message)]
#[serde(rename_all = "PascalCase")]
pub struct MulArgs {
    /// The first.
    #[prost(int64, tag = "1")]
    pub a: i64,
    /// The second.
    #[prost(int64, tag = "2")]
    pub b: i64,
}

/// One number.
#[derive(Clone, PartialEq, Deserialize, Serialize, prost::Message)]
#[serde(rename_all = "PascalCase")]
pub struct MulReply {
    /// The result.
    #[prost(int64, tag = "1")]
    pub c: i64,
}

/// What rpcx-benchmark measures, and echoes.
#[rpcx::service]
pub trait Hello {
    /// Gives the message back, with two fields changed.
    async fn say(&self, message: BenchmarkMessage) -> Result<BenchmarkMessage>;

    /// Gives the bytes back.
    async fn echo(&self, blob: Blob) -> Result<Blob>;

    /// Gives the payload back.
    #[rpcx(name = "EchoRaw")]
    async fn echo_raw(&self, data: Bytes) -> Result<Bytes>;
}

/// Arithmetic.
#[rpcx::service]
pub trait Arith {
    /// Multiplies.
    async fn mul(&self, args: MulArgs) -> Result<MulReply>;
}

/// The services behind [`Hello`] and [`Arith`].
#[derive(Debug)]
pub struct Service;

impl Hello for Service {
    async fn say(&self, mut message: BenchmarkMessage) -> Result<BenchmarkMessage> {
        "OK".clone_into(&mut message.field1);
        message.field2 = 100;
        Ok(message)
    }

    async fn echo(&self, blob: Blob) -> Result<Blob> {
        Ok(blob)
    }

    async fn echo_raw(&self, data: Bytes) -> Result<Bytes> {
        Ok(data)
    }
}

impl Arith for Service {
    async fn mul(&self, args: MulArgs) -> Result<MulReply> {
        Ok(MulReply { c: args.a.wrapping_mul(args.b) })
    }
}

/// Long texts of the message: 19 Chinese characters, 57 bytes.
const TEXT: &str = "许多往事在眼前一幕一幕，变的那麼模糊";
