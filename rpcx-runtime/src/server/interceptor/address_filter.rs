//! Who may connect, by address.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use arc_swap::ArcSwap;
use ipnet::{IpNet, Ipv4Net};

use super::{ConnectionInfo, Interceptor};

/// Admits connections by the client's address, or turns them away. Clones share the list, which can be
/// changed while the server runs; connections that are open stay.
///
/// An entry is an address or a network: `10.1.2.3`, `10.0.0.0/8`, `2001:db8::/32`. An IPv4 address or network
/// in IPv6 form, `::ffff:10.0.0.0/104`, is the IPv4 one. A client without such an address, over a Unix socket or within
/// the process, is on no list: one that allows turns it away, one that denies lets it in.
///
/// Go's are `WhitelistPlugin` and `BlacklistPlugin`.
///
/// ```
/// use rpcx::server::interceptor::AddressFilter;
///
/// let inside = AddressFilter::allow(["127.0.0.1", "10.0.0.0/8"])?;
/// let banned = AddressFilter::deny(["10.6.6.6"])?;
/// let server = rpcx::Server::new().interceptor(inside).interceptor(banned.clone());
/// banned.add("10.6.6.7")?;
/// # Ok::<(), rpcx::server::interceptor::AddressFilterError>(())
/// ```
#[derive(Clone)]
pub struct AddressFilter {
    listed: Listed,
    networks: Arc<ArcSwap<Vec<IpNet>>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Listed {
    Allowed,
    Denied,
}

impl AddressFilter {
    /// Admits these and nobody else.
    ///
    /// # Errors
    ///
    /// [`AddressFilterError`] with the first text that is neither an address nor a network.
    pub fn allow<T: AsRef<str>>(
        networks: impl IntoIterator<Item = T>,
    ) -> Result<Self, AddressFilterError> {
        Self::new(Listed::Allowed, networks)
    }

    /// Turns these away and nobody else.
    ///
    /// # Errors
    ///
    /// [`AddressFilterError`] with the first text that is neither an address nor a network.
    pub fn deny<T: AsRef<str>>(
        networks: impl IntoIterator<Item = T>,
    ) -> Result<Self, AddressFilterError> {
        Self::new(Listed::Denied, networks)
    }

    fn new<T: AsRef<str>>(
        listed: Listed,
        networks: impl IntoIterator<Item = T>,
    ) -> Result<Self, AddressFilterError> {
        let filter = Self { listed, networks: Arc::default() };
        filter.replace(networks)?;
        Ok(filter)
    }

    /// Adds an entry; one that is there already is not added twice.
    ///
    /// # Errors
    ///
    /// [`AddressFilterError`] if the text is neither an address nor a network; the list is as it was.
    pub fn add(&self, network: &str) -> Result<(), AddressFilterError> {
        let network = parse(network)?;
        self.networks.rcu(|known| {
            let others = known.iter().copied().filter(|other| *other != network);
            others.chain([network]).collect::<Vec<_>>()
        });
        Ok(())
    }

    /// Takes an entry out: that one, not the addresses in it that other entries cover.
    ///
    /// # Errors
    ///
    /// [`AddressFilterError`] if the text is neither an address nor a network.
    pub fn remove(&self, network: &str) -> Result<(), AddressFilterError> {
        let network = parse(network)?;
        self.networks.rcu(|known| {
            known.iter().copied().filter(|other| *other != network).collect::<Vec<_>>()
        });
        Ok(())
    }

    /// Replaces the whole list.
    ///
    /// # Errors
    ///
    /// [`AddressFilterError`] with the first text that is neither an address nor a network; the list is as
    /// it was.
    pub fn replace<T: AsRef<str>>(
        &self,
        networks: impl IntoIterator<Item = T>,
    ) -> Result<(), AddressFilterError> {
        let networks = networks.into_iter().map(|network| parse(network.as_ref()));
        self.networks.store(Arc::new(networks.collect::<Result<_, _>>()?));
        Ok(())
    }

    /// Tells whether a client may connect from there.
    pub fn admits(&self, peer: Option<SocketAddr>) -> bool {
        let address = peer.map(|peer| peer.ip().to_canonical());
        let networks = self.networks.load();
        let is_listed = address
            .is_some_and(|address| networks.iter().any(|network| network.contains(&address)));
        is_listed == (self.listed == Listed::Allowed)
    }
}

impl Interceptor for AddressFilter {
    fn accept(&self, connection: &ConnectionInfo) -> Result<(), String> {
        if self.admits(connection.peer()) {
            return Ok(());
        }
        Err(match self.listed {
            Listed::Allowed => "its address is not on the list of those that may connect",
            Listed::Denied => "its address is on the list of those that may not connect",
        }
        .to_owned())
    }
}

impl fmt::Debug for AddressFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AddressFilter")
            .field("listed", &self.listed)
            .field("networks", &self.networks.load().len())
            .finish()
    }
}

/// A text is neither an address nor a network.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AddressFilterError {
    text: String,
}

impl fmt::Display for AddressFilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text } = self;
        write!(f, "`{text}` is no address like `10.1.2.3` and no network like `10.0.0.0/8`")
    }
}

impl std::error::Error for AddressFilterError {}

fn parse(text: &str) -> Result<IpNet, AddressFilterError> {
    let address = text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
    let network = address.or_else(|_| text.parse::<IpNet>().map(canonical));
    network.map_err(|_| AddressFilterError { text: text.to_owned() })
}

/// Gives a network as clients' addresses are compared with it.
fn canonical(network: IpNet) -> IpNet {
    let inside = match network {
        IpNet::V4(_) => None,
        IpNet::V6(network) => network.addr().to_ipv4_mapped().and_then(|address| {
            Ipv4Net::new(address, network.prefix_len().checked_sub(MAPPED)?).ok()
        }),
    };
    inside.map_or(network, IpNet::V4).trunc()
}

/// The bits before an IPv4 address in its IPv6 form.
const MAPPED: u8 = 96;

#[cfg(test)]
mod tests {
    use super::*;

    impl AddressFilter {
        fn admits_from(&self, address: &str) -> bool {
            self.admits(Some(SocketAddr::new(address.parse().unwrap(), 1)))
        }
    }

    #[test]
    fn networks_are_compared_by_their_prefix_in_either_form() {
        let filter = AddressFilter::allow(["10.1.0.0/16", "192.168.0.7", "2001:db8::/32"]).unwrap();
        for inside in ["10.1.255.255", "192.168.0.7", "::ffff:10.1.0.1", "2001:db8:1::1"] {
            assert!(filter.admits_from(inside), "{inside}");
        }
        for outside in ["10.2.0.0", "192.168.0.8", "::1", "2001:db9::1", "::ffff:10.2.0.1"] {
            assert!(!filter.admits_from(outside), "{outside}");
        }
        assert!(!filter.admits(None));
    }

    #[test]
    fn a_network_in_ipv6_form_is_the_ipv4_network() {
        let filter = AddressFilter::deny(["::ffff:10.0.0.0/104", "::ffff:192.168.0.7"]).unwrap();
        for inside in ["10.1.2.3", "::ffff:10.1.2.3", "192.168.0.7"] {
            assert!(!filter.admits_from(inside), "{inside}");
        }
        assert!(filter.admits_from("11.0.0.0"));
        filter.remove("10.0.0.0/8").unwrap();
        assert!(filter.admits_from("10.1.2.3"), "it is the same entry");
    }

    #[test]
    fn the_list_can_be_changed() {
        let filter = AddressFilter::deny(["10.9.9.9/8"]).unwrap();
        assert!(filter.admits(None));
        assert!(!filter.admits_from("10.0.0.1"), "what is behind the prefix does not count");
        filter.clone().remove("10.0.0.0/8").unwrap();
        assert!(filter.admits_from("10.0.0.1"));
        filter.add("10.0.0.1").unwrap();
        filter.add("10.0.0.1/32").unwrap();
        assert_eq!(filter.networks.load().len(), 1);
        assert!(!filter.admits_from("10.0.0.1"));
        assert_eq!(filter.replace(["::/0", "x"]).unwrap_err().text, "x");
        assert!(!filter.admits_from("10.0.0.1"), "the list is as it was");
        filter.replace(["::/0"]).unwrap();
        assert!(filter.admits_from("10.0.0.1"));
        assert!(!filter.admits_from("fe80::1"));
    }

    #[test]
    fn what_is_no_address_is_an_error_that_says_what_one_is() {
        for text in ["", "10.0.0.0/33", "example.org", "10.0.0.1:80", "10.0.0/8", " ::1"] {
            let error = AddressFilter::allow([text]).unwrap_err().to_string();
            let expected = "no address like `10.1.2.3` and no network like `10.0.0.0/8`";
            assert_eq!(error, format!("`{text}` is {expected}"));
        }
    }
}
