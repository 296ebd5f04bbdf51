//! The server that is checked, and ways to reach it.

use std::io;
use std::time::Duration;

use rpcx::client::{Client, ClientBuilder};
use rpcx::protocol::SerializeType;
use rpcx::tls::ClientTls;
use rpcx::{Error, codec};
use serde::Serialize;

use super::Failure;
use super::raw::{RawConnection, RawRequest};
use crate::interop::{Args, InteropClient};

/// The server that is checked.
#[derive(Clone, Debug)]
pub struct Target {
    network: String,
    addr: String,
    token: Option<String>,
    tls: Option<ClientTls>,
}

impl Target {
    /// Names a server: the network (`tcp` or `unix`), where it listens, the token it asks for, and how it
    /// is spoken to if it speaks TLS.
    pub fn new(network: &str, addr: &str, token: Option<String>, tls: Option<ClientTls>) -> Self {
        Self { network: network.to_owned(), addr: addr.to_owned(), token, tls }
    }

    pub(super) fn has_tls(&self) -> bool {
        self.tls.is_some()
    }

    pub(super) fn has_token(&self) -> bool {
        self.token.is_some()
    }

    pub(super) fn address(&self) -> String {
        format!("{}@{}", self.network, self.addr)
    }

    /// Sets a client up, without the token.
    pub(super) fn stranger<C: Client>(&self) -> ClientBuilder<C> {
        let builder = C::builder().connect_timeout(Duration::from_secs(10));
        match &self.tls {
            Some(tls) => builder.tls(tls.clone()),
            None => builder,
        }
    }

    /// Sets a client up. It has no timeout of its own: that would show in the metadata.
    pub(super) fn builder<C: Client>(&self) -> ClientBuilder<C> {
        let builder = self.stranger();
        match &self.token {
            Some(token) => builder.auth(token),
            None => builder,
        }
    }

    /// Connects a client.
    pub(super) async fn client(&self) -> Result<InteropClient, Error> {
        self.builder().connect_to(&self.address()).await
    }

    /// Opens a socket.
    pub(super) async fn raw(&self) -> io::Result<RawConnection> {
        RawConnection::connect(&self.network, &self.addr).await
    }

    /// Makes a request as bytes, with the token.
    pub(super) fn request(
        &self,
        seq: u64,
        serialize_type: SerializeType,
        service: &str,
        method: &str,
        payload: impl Into<Vec<u8>>,
    ) -> RawRequest {
        let request = RawRequest::new(seq, serialize_type, service, method, payload.into());
        match &self.token {
            Some(token) => request.with_metadata(AUTH, token),
            None => request,
        }
    }

    /// Makes a request for `a * b` in `MessagePack`.
    pub(super) fn mul(&self, seq: u64, a: i64, b: i64) -> Result<RawRequest, Failure> {
        let payload = msgpack(&Args { a, b })?;
        Ok(self.request(seq, SerializeType::MSGPACK, "Arith", "Mul", payload))
    }
}

/// Encodes a payload.
pub(super) fn msgpack<T: Serialize>(value: &T) -> Result<Vec<u8>, Failure> {
    let mut payload = Vec::new();
    codec::encode(SerializeType::MSGPACK, value, &mut payload)?;
    Ok(payload)
}

/// The metadata key of the token.
pub(super) const AUTH: &str = "__AUTH";
