//! The socket of Go's half: one for all interfaces, shared with the host's other multicast DNS.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};

use socket2::{Domain, Protocol, SockRef, Type};
use tokio::net::UdpSocket;

use crate::registry::mdns::NAME;

/// A socket that listens and speaks on all interfaces with an IPv4 address, but for the loopback:
/// it has no multicast on Linux, and Go leaves it out too.
#[derive(Debug)]
pub(super) struct Socket {
    socket: UdpSocket,
    /// The first address of each interface, by the interface's name.
    interfaces: BTreeMap<String, Ipv4Addr>,
}

impl Socket {
    /// Opens a socket.
    ///
    /// # Errors
    ///
    /// Also if there is no interface to use.
    pub(super) fn open() -> io::Result<Self> {
        let socket = socket2::Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_reuse_address(true)?;
        #[cfg(unix)]
        socket.set_reuse_port(true)?;
        socket.set_nonblocking(true)?;
        socket.set_multicast_ttl_v4(255)?;
        socket.set_multicast_loop_v4(true)?;
        socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT)).into())?;
        let socket = UdpSocket::from_std(socket.into())?;
        let mut socket = Self { socket, interfaces: BTreeMap::new() };
        socket.look_for_interfaces()?;
        Ok(socket)
    }

    /// Takes up interfaces that are new, and gives up those that are gone.
    pub(super) fn look_for_interfaces(&mut self) -> io::Result<()> {
        let present = interfaces()?;
        self.interfaces.retain(|name, address| {
            let stays = present.get(name) == Some(address);
            if !stays {
                // It fails if the interface is gone, and with it the membership.
                let _ = self.socket.leave_multicast_v4(GROUP, *address);
            }
            stays
        });
        for (name, address) in present {
            if self.interfaces.contains_key(&name) {
                continue;
            }
            match self.socket.join_multicast_v4(GROUP, address) {
                Ok(()) => drop(self.interfaces.insert(name, address)),
                Err(error) => tracing::debug!(registry = NAME, name, %error, "not an interface"),
            }
        }
        if self.interfaces.is_empty() {
            return Err(io::Error::other("no network interface with multicast over IPv4"));
        }
        Ok(())
    }

    /// Waits for a packet. Nothing is lost if this is dropped.
    pub(super) async fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.recv(buffer).await
    }

    /// Sends a packet on every interface; `compose` gets the interface's address.
    ///
    /// An interface that fails is looked at again later, not waited for.
    pub(super) async fn send(&self, compose: impl Fn(Ipv4Addr) -> Option<Vec<u8>>) {
        for (name, address) in &self.interfaces {
            let Some(packet) = compose(*address) else { continue };
            if let Err(error) = self.send_on(*address, &packet).await {
                tracing::debug!(registry = NAME, name, %error, "nothing could be sent");
            }
        }
    }

    async fn send_on(&self, address: Ipv4Addr, packet: &[u8]) -> io::Result<usize> {
        SockRef::from(&self.socket).set_multicast_if_v4(&address)?;
        self.socket.send_to(packet, SocketAddrV4::new(GROUP, PORT)).await
    }
}

fn interfaces() -> io::Result<BTreeMap<String, Ipv4Addr>> {
    let mut interfaces = BTreeMap::new();
    for interface in if_addrs::get_if_addrs()? {
        if let IpAddr::V4(address) = interface.ip()
            && !address.is_loopback()
            && interface.is_oper_up()
        {
            interfaces.entry(interface.name).or_insert(address);
        }
    }
    Ok(interfaces)
}

const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
const PORT: u16 = 5353;
