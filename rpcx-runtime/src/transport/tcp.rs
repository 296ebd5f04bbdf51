//! TCP sockets, set up so that a dead peer is noticed.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

use super::Duplex;

pub(super) async fn connect(target: &str) -> io::Result<Duplex> {
    let stream = TcpStream::connect(target).await?;
    configure(&stream)?;
    let peer = stream.peer_addr().ok();
    Ok(Duplex::of_tcp(stream, peer))
}

/// Sends small frames at once, and bounds how long a silent peer goes unnoticed.
pub(super) fn configure(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE);
    #[cfg(any(target_os = "linux", target_vendor = "apple", target_os = "windows"))]
    let keepalive = keepalive.with_interval(KEEPALIVE_INTERVAL);
    #[cfg(any(target_os = "linux", target_vendor = "apple"))]
    let keepalive = keepalive.with_retries(KEEPALIVE_RETRIES);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(USER_TIMEOUT))?;
    Ok(())
}

/// An idle connection is probed after this long, as by Go rpcx's clients.
const KEEPALIVE: Duration = Duration::from_secs(60);
#[cfg(any(target_os = "linux", target_vendor = "apple", target_os = "windows"))]
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
const KEEPALIVE_RETRIES: u32 = 3;
/// How long sent bytes may stay unacknowledged before the connection counts as lost.
#[cfg(target_os = "linux")]
const USER_TIMEOUT: Duration = Duration::from_secs(15);
