//! What clients are told apart by.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// Gives what an address is counted by: an IPv4 address, or the network of an IPv6 address.
pub(super) fn counted_as(peer: Option<SocketAddr>) -> Option<IpAddr> {
    Some(match peer?.ip().to_canonical() {
        // Whoever has one IPv6 address has the 64 bits behind it.
        IpAddr::V6(address) => {
            let network = u128::from(address) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(network))
        }
        address @ IpAddr::V4(_) => address,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_counted_without_its_port_and_an_ipv6_one_by_its_network() {
        let counted = |text: &str| counted_as(text.parse().ok()).unwrap().to_string();
        assert_eq!(counted("10.0.0.1:5"), "10.0.0.1");
        assert_eq!(counted("[::ffff:10.0.0.1]:6"), "10.0.0.1");
        assert_eq!(counted("[2001:db8:1:2:3:4:5:6]:7"), "2001:db8:1:2::");
        assert_eq!(counted_as(None), None);
    }
}
