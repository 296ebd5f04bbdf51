//! The network as a Go program sees it: packets of `_rpcxservices.local.`.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use simple_dns::rdata::{A, PTR, RData, SRV, TXT};
use simple_dns::{CLASS, Name, Packet, PacketFlag, Question, ResourceRecord, TYPE};
use tokio::net::UdpSocket;

/// A socket in the group of multicast DNS, on the system's usual interface.
pub(crate) struct Network {
    socket: UdpSocket,
}

impl Network {
    pub(crate) fn open() -> io::Result<Self> {
        use socket2::{Domain, Protocol, Socket, Type};
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_reuse_address(true)?;
        #[cfg(unix)]
        socket.set_reuse_port(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT)).into())?;
        let interfaces = if_addrs::get_if_addrs()?;
        let addresses =
            interfaces.iter().filter(|one| !one.is_loopback()).map(if_addrs::Interface::ip);
        let usable = addresses.filter_map(|address| match address {
            std::net::IpAddr::V4(address) => Some(address),
            std::net::IpAddr::V6(_) => None,
        });
        let address = usable.into_iter().next().ok_or(io::ErrorKind::NotConnected)?;
        socket.join_multicast_v4(&GROUP, &address)?;
        socket.set_multicast_if_v4(&address)?;
        Ok(Self { socket: UdpSocket::from_std(socket.into())? })
    }

    /// Asks who is there, as Go's client does.
    pub(crate) async fn ask(&self) -> io::Result<()> {
        let mut packet = Packet::new_query(4711);
        let name = Name::new_unchecked(SERVICE);
        packet.questions.push(Question::new(name, TYPE::PTR.into(), CLASS::IN.into(), false));
        self.send(&packet).await
    }

    /// Announces services `(name, address, metadata)`, as one Go process does, or takes leave with a
    /// `life` of 0 seconds.
    pub(crate) async fn announce(
        &self,
        host: &str,
        services: &[(&str, &str, &str)],
        life: u32,
    ) -> io::Result<()> {
        let text = go_text(services);
        let (instance, host) = (format!("{host}.{SERVICE}"), format!("{host}.local"));
        let (instance, host) = (Name::new_unchecked(&instance), Name::new_unchecked(&host));
        let record =
            |name: &Name<'static>, data| ResourceRecord::new(name.clone(), CLASS::IN, life, data);
        let (instance, host) = (instance.into_owned(), host.into_owned());
        let service = Name::new_unchecked(SERVICE);
        let target = SRV { priority: 0, weight: 0, port: 1, target: host.clone() };
        let text = TXT::new().with_string(&text).map_err(io::Error::other)?.into_owned();
        let mut packet = Packet::new_reply(0);
        packet.answers = vec![
            record(&instance, RData::SRV(target)).with_cache_flush(true),
            record(&instance, RData::TXT(text)).with_cache_flush(true),
            record(&service, RData::PTR(PTR(instance.clone()))),
            record(&host, RData::A(A::from(Ipv4Addr::LOCALHOST))).with_cache_flush(true),
        ];
        self.send(&packet).await
    }

    async fn send(&self, packet: &Packet<'_>) -> io::Result<()> {
        let bytes = packet.build_bytes_vec_compressed().map_err(io::Error::other)?;
        self.socket.send_to(&bytes, SocketAddrV4::new(GROUP, PORT)).await.map(drop)
    }

    /// Sends bytes as they are.
    pub(crate) async fn send_bytes(&self, bytes: &[u8]) -> io::Result<()> {
        self.socket.send_to(bytes, SocketAddrV4::new(GROUP, PORT)).await.map(drop)
    }

    /// Waits for an answer with a text that `wanted` accepts; gives the kinds of its records.
    pub(crate) async fn hear(&self, wanted: impl Fn(&str) -> bool) -> io::Result<Vec<TYPE>> {
        let mut buffer = vec![0; 9000];
        loop {
            let length = self.socket.recv(&mut buffer).await?;
            let Ok(packet) = Packet::parse(&buffer[..length]) else { continue };
            if !packet.has_flags(PacketFlag::RESPONSE) {
                continue;
            }
            let records: Vec<_> = packet.answers.iter().chain(&packet.additional_records).collect();
            if records.iter().any(|record| text_of(record).is_some_and(|text| wanted(&text))) {
                return Ok(records.iter().map(|record| record.rdata.type_code()).collect());
            }
        }
    }
}

fn text_of(record: &ResourceRecord<'_>) -> Option<String> {
    let RData::TXT(text) = &record.rdata else { return None };
    let name = record.name.to_string();
    if !name.ends_with("._rpcxservices.local") {
        return None;
    }
    let (text, _) = text.iter_raw().next()?;
    let value = [b"=", text].concat();
    let (_, text) = form_urlencoded::parse(&value).next()?;
    Some(text.into_owned())
}

/// Go writes `&` so, and no empty metadata.
fn go_text(services: &[(&str, &str, &str)]) -> String {
    let services = services.iter().map(|(service, address, meta)| {
        let meta = match meta.replace('&', r"\u0026") {
            meta if meta.is_empty() => meta,
            meta => format!(r#""meta":"{meta}","#),
        };
        format!(r#"{{"service":"{service}",{meta}"service_address":"{address}"}}"#)
    });
    let json = format!("[{}]", services.collect::<Vec<_>>().join(","));
    form_urlencoded::byte_serialize(json.as_bytes()).collect()
}

const SERVICE: &str = "_rpcxservices.local";
const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
const PORT: u16 = 5353;
