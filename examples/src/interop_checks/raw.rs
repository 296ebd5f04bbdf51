//! Frames on a socket, for checks in which bytes matter.

use std::io;

use bytes::BytesMut;
use rpcx::codec;
use rpcx::protocol::{Decoded, Header, Kind, Limits, Message, Output, SerializeType, Status};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};

use super::{Failure, same};
use crate::interop::Reply;

/// A request that is written as it stands.
#[derive(Clone, Debug)]
pub(super) struct RawRequest {
    pub(super) header: Header,
    pub(super) service: String,
    pub(super) method: String,
    pub(super) metadata: Vec<(String, String)>,
    pub(super) payload: Vec<u8>,
}

impl RawRequest {
    pub(super) fn new(
        seq: u64,
        serialize_type: SerializeType,
        service: &str,
        method: &str,
        payload: Vec<u8>,
    ) -> Self {
        Self {
            header: Header::request(seq, serialize_type),
            service: service.to_owned(),
            method: method.to_owned(),
            metadata: Vec::new(),
            payload,
        }
    }

    pub(super) fn with_metadata(mut self, key: &str, value: &str) -> Self {
        self.metadata.push((key.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn write(&self, out: &mut Output) {
        let pairs = self.metadata.iter().map(|(key, value)| (key.as_bytes(), value.as_bytes()));
        out.frame(
            self.header,
            self.service.as_bytes(),
            self.method.as_bytes(),
            pairs,
            &self.payload,
        );
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut out = Output::new();
        self.write(&mut out);
        out.to_vec()
    }

    /// Fails unless `response` carries all that a response copies from its request.
    pub(super) fn check_copied(&self, response: &Message) -> Result<(), Failure> {
        let (sent, came) = (self.header, response.header());
        same("direction", came.kind(), Kind::Response)?;
        same("sequence number", came.seq(), sent.seq())?;
        same("version", came.version(), sent.version())?;
        same("codec", came.serialize_type(), sent.serialize_type())?;
        same("reserved bits", came.reserved(), sent.reserved())?;
        same("heartbeat", came.is_heartbeat(), sent.is_heartbeat())?;
        same("one-way", came.is_oneway(), sent.is_oneway())?;
        same("service", response.service_path(), self.service.as_bytes())?;
        same("method", response.service_method(), self.method.as_bytes())
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A socket.
pub(super) struct RawConnection {
    stream: Box<dyn Stream>,
    buffer: BytesMut,
}

impl RawConnection {
    pub(super) async fn connect(network: &str, addr: &str) -> io::Result<Self> {
        let stream: Box<dyn Stream> = if network == "unix" {
            Box::new(UnixStream::connect(addr).await?)
        } else {
            let stream = TcpStream::connect(addr).await?;
            stream.set_nodelay(true)?;
            Box::new(stream)
        };
        Ok(Self { stream, buffer: BytesMut::new() })
    }

    pub(super) async fn send(&mut self, request: &RawRequest) -> io::Result<()> {
        self.send_bytes(&request.bytes()).await
    }

    pub(super) async fn send_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// Reads the next message; `None` if the server has closed the connection.
    pub(super) async fn receive_or_end(&mut self) -> Result<Option<Message>, Failure> {
        loop {
            if let Decoded::Message(message) =
                Message::decode(&mut self.buffer, &Limits::default())?
            {
                return Ok(Some(message));
            }
            match self.stream.read_buf(&mut self.buffer).await {
                Ok(0) if self.buffer.is_empty() => return Ok(None),
                Ok(0) => return Err("the connection ended within a message".into()),
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(None),
                result => result?,
            };
        }
    }

    /// Reads the next message.
    pub(super) async fn receive(&mut self) -> Result<Message, Failure> {
        let message = self.receive_or_end().await?;
        message.ok_or_else(|| "the server closed the connection".into())
    }

    /// Sends a request and reads the next message.
    pub(super) async fn exchange(&mut self, request: &RawRequest) -> Result<Message, Failure> {
        self.send(request).await?;
        self.receive().await
    }

    /// Splits the socket; what was read and not taken is lost.
    pub(super) fn split(self) -> (impl AsyncWrite + Send, Self) {
        let (reader, writer) = tokio::io::split(self.stream);
        let stream = Box::new(tokio::io::join(reader, tokio::io::sink()));
        (writer, Self { stream, buffer: self.buffer })
    }
}

/// Fails unless a message is the reply `c`, in `MessagePack`.
pub(super) fn check_reply(message: &Message, c: i64) -> Result<(), Failure> {
    same("status", message.header().status(), Status::Normal)?;
    let reply: Reply = codec::decode(SerializeType::MSGPACK, &message.payload())?;
    same("reply", reply.c, c)
}

/// Gives the text of an error response.
pub(super) fn error_text(message: &Message) -> Result<String, Failure> {
    same("status", message.header().status(), Status::Error)?;
    let text = message.metadata_value(ERROR).ok_or("an error without a text")?;
    Ok(String::from_utf8_lossy(text).into_owned())
}

/// The metadata key of the text of an error.
const ERROR: &str = "__rpcx_error__";
