//! Connections inside one process: no socket, the same messages.

use std::collections::HashMap;
use std::io;
use std::sync::{LazyLock, Mutex, PoisonError};

use tokio::io::DuplexStream;
use tokio::sync::mpsc;

use super::Duplex;

/// Accepts the in-process connections to one name; the name is free again once this is dropped.
#[derive(Debug)]
pub struct MemoryListener {
    name: String,
    incoming: mpsc::Receiver<DuplexStream>,
}

impl MemoryListener {
    pub(super) fn bind(name: &str) -> io::Result<Self> {
        let mut servers = servers();
        if servers.get(name).is_some_and(|server| !server.is_closed()) {
            return Err(io::Error::new(
                io::ErrorKind::AddrInUse,
                "a server of this process has that name",
            ));
        }
        let (sender, incoming) = mpsc::channel(BACKLOG);
        servers.insert(name.to_owned(), sender);
        Ok(Self { name: name.to_owned(), incoming })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) async fn accept(&mut self) -> io::Result<Duplex> {
        let stream = self.incoming.recv().await;
        // The sender is in the table for as long as this listener lives.
        stream.map(Duplex::of).ok_or_else(|| io::ErrorKind::BrokenPipe.into())
    }
}

impl Drop for MemoryListener {
    fn drop(&mut self) {
        servers().remove(&self.name);
    }
}

pub(super) async fn connect(name: &str) -> io::Result<Duplex> {
    let refused = || {
        io::Error::new(io::ErrorKind::ConnectionRefused, "no server of this process has that name")
    };
    let server = servers().get(name).cloned().ok_or_else(refused)?;
    let (ours, theirs) = tokio::io::duplex(BUFFER);
    server.send(theirs).await.map_err(|_| refused())?;
    Ok(Duplex::of(ours))
}

type Servers = HashMap<String, mpsc::Sender<DuplexStream>>;

fn servers() -> std::sync::MutexGuard<'static, Servers> {
    static SERVERS: LazyLock<Mutex<Servers>> = LazyLock::new(Mutex::default);
    SERVERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Connections that wait to be accepted.
const BACKLOG: usize = 128;
/// Bytes that one direction holds before the writer waits.
const BUFFER: usize = 64 << 10;
