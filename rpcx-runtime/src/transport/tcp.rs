//! TCP sockets, set up so that a dead peer is noticed.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};

use super::Duplex;

pub(super) async fn connect(target: &str, keepalive: Option<Duration>) -> io::Result<Duplex> {
    let stream = TcpStream::connect(target).await?;
    configure(&stream, keepalive)?;
    let peer = stream.peer_addr().ok();
    Ok(Duplex::of_tcp(stream, peer))
}

/// Listens at a port that others may share.
#[cfg(all(unix, not(any(target_os = "solaris", target_os = "illumos", target_os = "cygwin"))))]
pub(super) async fn listen_shared(target: &str) -> io::Result<TcpListener> {
    use tokio::net::TcpSocket;
    let listen = |address: std::net::SocketAddr| {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        socket.set_reuseport(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    let mut failed = io::Error::new(io::ErrorKind::InvalidInput, "the name has no address");
    for address in tokio::net::lookup_host(target).await? {
        match listen(address) {
            Ok(listener) => return Ok(listener),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

#[cfg(not(all(
    unix,
    not(any(target_os = "solaris", target_os = "illumos", target_os = "cygwin"))
)))]
pub(super) async fn listen_shared(_: &str) -> io::Result<TcpListener> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "this system has no ports to share"))
}

/// Connections that may wait to be accepted.
#[cfg(all(unix, not(any(target_os = "solaris", target_os = "illumos", target_os = "cygwin"))))]
const BACKLOG: u32 = 1024;

/// Sends small frames at once, and bounds how long a silent peer goes unnoticed.
pub(super) fn configure(stream: &TcpStream, keepalive: Option<Duration>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(USER_TIMEOUT))?;
    let Some(period) = keepalive else { return socket.set_keepalive(false) };
    let keepalive = TcpKeepalive::new().with_time(period);
    #[cfg(any(target_os = "linux", target_vendor = "apple", target_os = "windows"))]
    let keepalive = keepalive.with_interval(KEEPALIVE_INTERVAL);
    #[cfg(any(target_os = "linux", target_vendor = "apple"))]
    let keepalive = keepalive.with_retries(KEEPALIVE_RETRIES);
    socket.set_tcp_keepalive(&keepalive)
}

/// An idle connection is probed after this long, as by Go rpcx's clients.
pub(super) const KEEPALIVE: Duration = Duration::from_secs(60);
#[cfg(any(target_os = "linux", target_vendor = "apple", target_os = "windows"))]
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
const KEEPALIVE_RETRIES: u32 = 3;
/// How long sent bytes may stay unacknowledged before the connection counts as lost.
#[cfg(target_os = "linux")]
const USER_TIMEOUT: Duration = Duration::from_secs(15);
