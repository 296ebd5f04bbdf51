//! Faults between programs, on a TCP port.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::{End, Faults};

/// Listens on a TCP port and carries each connection to a server through [`Faults`].
///
/// It ends, with all connections, when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    wanted: watch::Sender<Wanted>,
    task: JoinHandle<()>,
}

/// What the proxy is to be.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    /// Nobody listens: connections are refused.
    is_down: bool,
    /// How often all connections were to be reset so far.
    severed: u64,
}

impl Proxy {
    /// Starts to listen at `listen`, for a server at `to`, both `host:port`. Port 0 lets the system choose.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub async fn start(listen: &str, to: &str, faults: Faults) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let (wanted, heard) = watch::channel(Wanted { is_down: false, severed: 0 });
        let running = Running { address, to: to.into(), faults, heard, relays: JoinSet::new() };
        let task = tokio::spawn(running.run(listener));
        Ok(Self { address, wanted, task })
    }

    /// Gives where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Resets all connections. New ones are taken.
    pub fn sever(&self) {
        self.wanted.send_modify(|wanted| wanted.severed += 1);
    }

    /// Resets all connections, and refuses new ones until [`up`](Self::up).
    pub fn down(&self) {
        self.wanted.send_modify(|wanted| {
            wanted.severed += 1;
            wanted.is_down = true;
        });
    }

    /// Listens again at the same address; retries while another program has it.
    pub fn up(&self) {
        self.wanted.send_modify(|wanted| wanted.is_down = false);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Running {
    address: SocketAddr,
    to: Arc<str>,
    faults: Faults,
    heard: watch::Receiver<Wanted>,
    relays: JoinSet<()>,
}

impl Running {
    async fn run(mut self, listener: TcpListener) {
        let mut listener = Some(listener);
        let mut severed = 0;
        loop {
            tokio::select! {
                changed = self.heard.changed() => {
                    let wanted = *self.heard.borrow_and_update();
                    if changed.is_err() {
                        return;
                    }
                    if wanted.severed > severed {
                        severed = wanted.severed;
                        self.relays.shutdown().await;
                    }
                    if wanted.is_down {
                        listener = None;
                    } else if listener.is_none() {
                        listener = self.listen_again().await;
                    }
                }
                accepted = accept(listener.as_ref()), if self.relays.len() < CONNECTIONS => match accepted {
                    Ok(client) => self.begin(client),
                    // Descriptors may have run out; there will be some again.
                    Err(_) => tokio::time::sleep(PAUSE).await,
                },
                Some(_) = self.relays.join_next() => {}
            }
        }
    }

    /// Takes the address again, unless it is not to be taken any more.
    async fn listen_again(&self) -> Option<TcpListener> {
        loop {
            if let Ok(listener) = TcpListener::bind(self.address).await {
                return Some(listener);
            }
            tokio::time::sleep(PAUSE).await;
            if self.heard.borrow().is_down {
                return None;
            }
        }
    }

    fn begin(&mut self, client: TcpStream) {
        let (to, faults) = (Arc::clone(&self.to), self.faults.clone());
        self.relays.spawn(async move {
            let mut client = ResetOnDrop::new(client);
            let dial = tokio::time::timeout(DIAL, TcpStream::connect(&*to)).await;
            // A server that cannot be reached looks like one that resets.
            let Ok(Ok(server)) = dial else { return };
            let mut server = ResetOnDrop::new(server);
            if faults.relay(&mut client.0, &mut server.0).await != End::Reset {
                client.keep();
                server.keep();
            }
        });
    }
}

async fn accept(listener: Option<&TcpListener>) -> io::Result<TcpStream> {
    match listener {
        Some(listener) => listener.accept().await.map(|(client, _)| client),
        None => std::future::pending().await,
    }
}

/// A socket that is reset when it is dropped, as one is that a task did not end well with.
struct ResetOnDrop(TcpStream);

impl ResetOnDrop {
    fn new(stream: TcpStream) -> Self {
        // Both fail only on a socket that has ended already.
        let _ = stream.set_nodelay(true);
        let _ = stream.set_zero_linger();
        Self(stream)
    }

    /// Closes in the usual way after all.
    fn keep(self) {
        let socket = socket2::SockRef::from(&self.0);
        let _ = socket.set_linger(None);
    }
}

/// Connections at a time; further clients wait.
const CONNECTIONS: usize = 10_000;
/// How long the server may take to accept.
const DIAL: Duration = Duration::from_secs(10);
/// Before what failed for want of resources is tried again.
const PAUSE: Duration = Duration::from_millis(20);
