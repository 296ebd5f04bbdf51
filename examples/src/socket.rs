//! Where a server listens so that its successor can take its place while clients call.

use std::error::Error;

use clap::Args;
use listenfd::ListenFd;
use rpcx::Server;
use rpcx::server::Bound;
use rpcx::transport::Listener;

/// Where a server listens.
#[derive(Args, Debug)]
pub struct SocketOptions {
    /// Share the port with other servers that do so as well, of the same user: the new version starts while
    /// the old one still serves.
    #[arg(long)]
    reuse_port: bool,
    /// Take the socket of that name from whoever started this, as systemd does it (`LISTEN_FDS`,
    /// `FileDescriptorName=`); `--addr` is not looked at.
    #[arg(long, value_name = "NAME", conflicts_with = "reuse_port")]
    inherited: Option<String>,
}

impl SocketOptions {
    /// Listens at `address`, or with the socket that was inherited.
    ///
    /// # Errors
    ///
    /// What [`Server::bind`] says, and if there is no socket of that name.
    pub async fn bind(&self, server: Server, address: &str) -> Result<Bound, Box<dyn Error>> {
        if let Some(name) = &self.inherited {
            return Ok(server.bind_to(inherited(name)?)?);
        }
        let server = if self.reuse_port { server.reuse_port() } else { server };
        Ok(server.bind(address).await?)
    }
}

/// Takes an inherited socket by its name.
fn inherited(name: &str) -> Result<Listener, Box<dyn Error>> {
    // Before the sockets are taken, which clears the environment.
    let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
    let place = names.split(':').position(|known| known == name);
    let place = place.ok_or_else(|| {
        format!("no inherited socket is called `{name}`; LISTEN_FDNAMES is {names:?}")
    })?;
    let mut sockets = ListenFd::from_env();
    // Of another kind it stays where it is.
    if let Ok(Some(socket)) = sockets.take_tcp_listener(place) {
        return Ok(Listener::from_std(socket)?);
    }
    let socket = sockets.take_unix_listener(place)?;
    let missing = "systemd's LISTEN_PID is not this process, or LISTEN_FDS is too small";
    Ok(Listener::from_std_unix(socket.ok_or(missing)?)?)
}
