//! A way to a registry that holds requests back when a test asks for it.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, tcp};
use tokio::sync::watch;

/// A way to a registry that lets requests pass until a certain answer has come, and then holds them
/// back until it is opened: what happens in between, a client could not know of.
#[derive(Debug)]
pub(crate) struct Gate {
    address: String,
    state: watch::Sender<State>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Armed,
    Closed,
    Open,
}

impl Gate {
    /// Closes when `mark` is part of an answer, before that answer is passed on.
    pub(crate) async fn closing_at(server: &str, mark: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("some port is free");
        let address = listener.local_addr().expect("a listener has an address").to_string();
        let state = watch::Sender::new(State::Armed);
        let (server, gate) = (server.to_owned(), state.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.expect("the registry is there");
                let (answers, requests) = server.into_split();
                let (client_requests, client_answers) = client.into_split();
                tokio::spawn(pass_requests(client_requests, requests, gate.subscribe()));
                tokio::spawn(pass_answers(answers, client_answers, gate.clone(), mark));
            }
        });
        Self { address, state }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Lets everything pass from now on.
    pub(crate) fn open(&self) {
        let before = self.state.send_replace(State::Open);
        assert_eq!(before, State::Closed, "the answer that closes the gate has come");
    }
}

async fn pass_requests(
    mut from: tcp::OwnedReadHalf,
    mut to: tcp::OwnedWriteHalf,
    mut gate: watch::Receiver<State>,
) {
    let mut bytes = Vec::with_capacity(CHUNK);
    while from.read_buf(&mut bytes).await.is_ok_and(|count| count > 0) {
        let closed = gate.wait_for(|state| *state != State::Closed).await.is_err();
        if closed || to.write_all(&bytes).await.is_err() {
            return;
        }
        bytes.clear();
    }
}

async fn pass_answers(
    mut from: tcp::OwnedReadHalf,
    mut to: tcp::OwnedWriteHalf,
    gate: watch::Sender<State>,
    mark: &str,
) {
    let mut bytes = Vec::with_capacity(CHUNK);
    while from.read_buf(&mut bytes).await.is_ok_and(|count| count > 0) {
        if bytes.windows(mark.len()).any(|part| part == mark.as_bytes()) {
            gate.send_if_modified(|state| {
                let closes = *state == State::Armed;
                if closes {
                    *state = State::Closed;
                }
                closes
            });
        }
        if to.write_all(&bytes).await.is_err() {
            return;
        }
        bytes.clear();
    }
}

const CHUNK: usize = 64 * 1024;
