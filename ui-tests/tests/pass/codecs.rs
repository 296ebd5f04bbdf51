//! The codecs that every build has.

#[rpcx::service(codec = "msgpack")]
pub trait MessagePack {
    async fn mul(&self, a: i32, b: Option<String>) -> rpcx::Result<Vec<i32>>;
}

#[rpcx::service(codec = "json", compress = "none")]
pub trait Json {
    async fn mul(&self, a: i32, b: Option<String>) -> rpcx::Result<Vec<i32>>;
}

#[rpcx::service(codec = "raw", compress = "gzip")]
pub trait Raw {
    async fn shared(&self, bytes: rpcx::Bytes) -> rpcx::Result<rpcx::Bytes>;
    async fn borrowed(&self, bytes: &[u8]) -> rpcx::Result<Vec<u8>>;
}

fn main() {
    let _: Option<(MessagePackClient, JsonClient, RawClient)> = None;
}
