//! A look at what a client and its server send, and a way to cut the wire between them.

use std::sync::Arc;

use bytes::BytesMut;
use rpcx::Address;
use rpcx::protocol::{Decoded, Limits, Message};
use rpcx::transport::{ConnectFuture, Connector, Duplex, NetworkConnector};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{Notify, watch};

/// A connector that keeps what passes. Clones keep it together.
#[derive(Clone, Debug, Default)]
pub(super) struct Tap {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    traffic: watch::Sender<Traffic>,
    cut: Notify,
}

/// What has passed so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Traffic {
    /// How many connections were opened.
    pub(super) connections: usize,
    /// What the client sent.
    pub(super) requests: Vec<Message>,
    /// What the server sent; kept before the client gets it.
    pub(super) responses: Vec<Message>,
}

impl Tap {
    /// Gives what has passed so far.
    pub(super) fn traffic(&self) -> Traffic {
        self.shared.traffic.borrow().clone()
    }

    /// Gives the last message from the server.
    pub(super) fn last_response(&self) -> Option<Message> {
        self.shared.traffic.borrow().responses.last().cloned()
    }

    /// Waits until `reached` is true of what has passed.
    pub(super) async fn until(&self, reached: impl Fn(&Traffic) -> bool) -> Traffic {
        let mut traffic = self.shared.traffic.subscribe();
        let traffic = traffic.wait_for(|traffic| reached(traffic)).await;
        // The sender is in `self`, so that it outlives this.
        traffic.map(|traffic| traffic.clone()).unwrap_or_default()
    }

    /// Cuts the open connection.
    pub(super) fn cut(&self) {
        self.shared.cut.notify_waiters();
    }
}

impl Connector for Tap {
    fn connect(&self, address: &Address) -> ConnectFuture {
        let opening = NetworkConnector::new().connect(address);
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            let server = opening.await?;
            let (client, ours) = tokio::io::duplex(BUFFER);
            shared.traffic.send_modify(|traffic| traffic.connections += 1);
            tokio::spawn(relay(ours, server, shared));
            Ok(Duplex::of(client))
        })
    }
}

/// Carries bytes both ways until one side ends or the wire is cut.
async fn relay(client: tokio::io::DuplexStream, server: Duplex, shared: Arc<Shared>) {
    let (from_client, to_client) = tokio::io::split(client);
    let keep_request = |message| shared.traffic.send_modify(|all| all.requests.push(message));
    let keep_response = |message| shared.traffic.send_modify(|all| all.responses.push(message));
    tokio::select! {
        () = shared.cut.notified() => {}
        _ = carry(from_client, server.writer, keep_request) => {}
        _ = carry(server.reader, to_client, keep_response) => {}
    }
}

async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    keep: impl Fn(Message),
) -> Result<(), super::Failure> {
    let mut bytes = vec![0; BUFFER];
    let mut frames = BytesMut::new();
    loop {
        let count = from.read(&mut bytes).await?;
        let Some(read) = bytes.get(..count).filter(|read| !read.is_empty()) else {
            return Ok(());
        };
        frames.extend_from_slice(read);
        while let Decoded::Message(message) = Message::decode(&mut frames, &Limits::default())? {
            keep(message);
        }
        to.write_all(read).await?;
    }
}

const BUFFER: usize = 64 << 10;
