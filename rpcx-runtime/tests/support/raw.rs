//! A client that sees messages as they are.

use std::io::ErrorKind;
use std::time::Duration;

use bytes::BytesMut;
use rpcx::Address;
use rpcx::protocol::{Decoded, Limits, Message};
use rpcx::transport::{Connector as _, Duplex, NetworkConnector};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{Answer, Frame, soon};

/// A client that sees messages as they are.
pub(crate) struct Raw {
    duplex: Duplex,
    buffer: BytesMut,
}

impl Raw {
    pub(crate) async fn connect(address: &str) -> Self {
        let address: Address = address.parse().unwrap();
        let duplex =
            soon(NetworkConnector::new().connect(&address)).await.expect("a server listens");
        Self { duplex, buffer: BytesMut::new() }
    }

    /// Sends bytes, whatever they are.
    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) {
        soon(self.duplex.writer.write_all(bytes)).await.expect("the server reads");
    }

    /// Sends bytes; `false` if the server, once all its tasks wait, has not taken all of them.
    ///
    /// For a paused clock, as [`expect_silence`](Self::expect_silence).
    pub(crate) async fn try_send_bytes(&mut self, bytes: &[u8]) -> bool {
        let sending = self.duplex.writer.write_all(bytes);
        match tokio::time::timeout(Duration::from_millis(1), sending).await {
            Ok(sent) => sent.is_ok(),
            Err(_) => false,
        }
    }

    pub(crate) async fn send(&mut self, frame: &Frame) {
        self.send_bytes(&frame.encode()).await;
    }

    /// Sends a call and waits for the next message, which is its answer if nothing else runs.
    pub(crate) async fn call(&mut self, frame: &Frame) -> Answer {
        self.send(frame).await;
        self.answer().await
    }

    /// Waits for the next message, a response.
    pub(crate) async fn answer(&mut self) -> Answer {
        Answer::of(&self.message().await)
    }

    /// Waits for the next message.
    pub(crate) async fn message(&mut self) -> Message {
        soon(self.read()).await.expect("the connection ended before a message")
    }

    /// Waits for the end of the connection; no further message may come.
    pub(crate) async fn expect_end(&mut self) {
        let message = soon(self.read()).await;
        let answer = message.as_ref().map(Answer::of);
        assert_eq!(answer, None, "the connection ends without another message");
    }

    /// Checks that the server sends nothing before all its tasks wait.
    ///
    /// For a paused clock, which moves only then.
    pub(crate) async fn expect_silence(&mut self) {
        let read = tokio::time::timeout(Duration::from_millis(1), self.read()).await;
        if let Ok(message) = read {
            panic!("silence was expected, found {:?}", message.as_ref().map(Answer::of));
        }
    }

    /// Checks that the connection serves calls.
    pub(crate) async fn expect_serves(&mut self) {
        let seq = u64::MAX - 7;
        assert_eq!(self.call(&Frame::mul(seq)).await, Answer::forty_two(seq));
    }

    /// Tells whether the connection serves a call, or ends.
    pub(crate) async fn serves(&mut self) -> bool {
        let frame = Frame::mul(0).encode();
        soon(self.duplex.writer.write_all(&frame)).await.is_ok()
            && soon(self.read()).await.is_some()
    }

    /// Sends no more; answers can still come.
    pub(crate) async fn finish(&mut self) {
        soon(self.duplex.writer.shutdown()).await.expect("the connection is open");
    }

    async fn read(&mut self) -> Option<Message> {
        loop {
            match Message::decode(&mut self.buffer, &lifted()).expect("a server writes messages") {
                Decoded::Message(message) => return Some(message),
                Decoded::Incomplete(_) => {}
            }
            match self.duplex.reader.read_buf(&mut self.buffer).await {
                Ok(0) => {
                    assert!(self.buffer.is_empty(), "the last message is cut short");
                    return None;
                }
                Ok(_) => {}
                // A close while bytes of ours are unread; answers that it swallows are missed.
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("reading failed: {error}"),
            }
        }
    }
}

fn lifted() -> Limits {
    let limits = Limits::default().max_message(usize::MAX).max_name(usize::MAX);
    limits.max_metadata_pairs(usize::MAX)
}
