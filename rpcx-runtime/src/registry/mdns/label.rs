//! The instance names under which this process announces its services.

use crate::address::{Address, Network};
use crate::registry::SettingsError;

/// What the names given by one registry value have in common, and no others.
#[derive(Debug)]
pub(super) struct Tag(String);

impl Tag {
    /// Draws one. A process id alone would not do: those of two containers may be equal.
    pub(super) fn draw() -> Self {
        Self(format!("-{}-{:08x}-", std::process::id(), fastrand::u32(..)))
    }

    /// Makes a name, different for each `number`: `host-port-process-random-number-service`.
    ///
    /// In lower case, since DNS does not tell the cases apart.
    pub(super) fn label(&self, service: &str, port: u16, number: u64) -> String {
        let host = plain(host_name().trim(), HOST);
        let mut label = format!("{host}-{port}{}{number}-", self.0);
        label.push_str(&plain(service, LABEL.saturating_sub(label.len())));
        label
    }

    /// Tells whether a name is one of these.
    pub(super) fn made(&self, label: &str) -> bool {
        label.contains(&self.0)
    }
}

/// Gives the port that is announced beside an address.
///
/// # Errors
///
/// [`SettingsError`] for an address that no other host could use.
pub(super) fn port(address: &Address) -> Result<u16, SettingsError> {
    let port = match address.network() {
        Network::Tcp => address.target().rsplit_once(':').and_then(|(_, port)| port.parse().ok()),
        Network::Unix | Network::Memory => None,
    };
    port.ok_or_else(|| {
        SettingsError(format!("multicast DNS announces TCP addresses, `{address}` is none"))
    })
}

/// Keeps what is plain in a DNS name, at most `longest` bytes of it.
fn plain(text: &str, longest: usize) -> String {
    let plain = text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' });
    plain.take(longest).collect::<String>().to_ascii_lowercase()
}

/// The host's name helps who looks at the network with a tool; nothing depends on it.
fn host_name() -> String {
    let from_kernel = std::fs::read_to_string("/proc/sys/kernel/hostname");
    from_kernel.or_else(|_| std::env::var("HOSTNAME")).unwrap_or_else(|_| "host".to_owned())
}

/// The longest part of a DNS name, in bytes.
const LABEL: usize = 63;
/// How much of the host's name is used.
const HOST: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_short_and_different() {
        let tag = Tag::draw();
        let long = "com.example.ÄÖÜ/".repeat(20);
        for service in ["Arith", &long] {
            let names = [tag.label(service, u16::MAX, u64::MAX), tag.label(service, u16::MAX, 1)];
            assert_ne!(names[0], names[1]);
            for name in names {
                assert!(name.len() <= LABEL, "{name}");
                assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'), "{name}");
                assert!(tag.made(&name));
                assert!(!Tag::draw().made(&name));
            }
        }
    }

    #[test]
    fn only_tcp_addresses_are_announced() {
        assert_eq!(port(&"tcp@[::1]:8972".parse().unwrap()), Ok(8972));
        let error = port(&"unix@/run/a.sock".parse().unwrap()).unwrap_err();
        let text = "multicast DNS announces TCP addresses, `unix@/run/a.sock` is none";
        assert_eq!(error.to_string(), text);
    }
}
