//! Where a server listens, as text: `network@host:port`.

use std::fmt;
use std::str::FromStr;

/// Where a server listens.
///
/// As text it is `network@target`, the form that Go rpcx uses in its registries; a missing network
/// means `tcp`.
///
/// | text | means |
/// |---|---|
/// | `tcp@127.0.0.1:8972`, `localhost:8972`, `tcp@[::1]:8972` | TCP |
/// | `unix@/run/arith.sock` | a Unix domain socket |
/// | `memory@arith` | a server in this process, without a socket |
///
/// ```
/// let address: rpcx::Address = "localhost:8972".parse()?;
/// assert_eq!(address.to_string(), "tcp@localhost:8972");
/// # Ok::<(), rpcx::AddressError>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Address {
    network: Network,
    target: Box<str>,
}

/// How the bytes travel.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Network {
    /// TCP, version 4 or 6 as the target says.
    Tcp,
    /// A Unix domain socket; the target is its path.
    Unix,
    /// A server of this process; the target is its name.
    Memory,
}

impl Network {
    const ALL: [Self; 3] = [Self::Tcp, Self::Unix, Self::Memory];

    /// Gives the name used in address texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Unix => "unix",
            Self::Memory => "memory",
        }
    }
}

impl Address {
    /// Puts an address together.
    ///
    /// # Errors
    ///
    /// [`AddressError`] if the target does not suit the network: TCP takes `host:port`.
    pub fn new(network: Network, target: &str) -> Result<Self, AddressError> {
        let problem = match network {
            _ if target.is_empty() => Some("nothing stands after the network".to_owned()),
            Network::Tcp => tcp_problem(target),
            Network::Unix | Network::Memory => None,
        };
        match problem {
            Some(problem) => Err(AddressError { text: target.to_owned(), problem }),
            None => Ok(Self { network, target: target.into() }),
        }
    }

    /// Gives the network.
    pub fn network(&self) -> Network {
        self.network
    }

    /// Gives what stands after the `@`: `host:port`, a path, or a name.
    pub fn target(&self) -> &str {
        &self.target
    }
}

fn tcp_problem(target: &str) -> Option<String> {
    let Some((host, port)) = target.rsplit_once(':') else {
        return Some("a TCP address is `host:port`".to_owned());
    };
    if host.is_empty() {
        return Some("the host is missing; `0.0.0.0` or `[::]` means all interfaces".to_owned());
    }
    if host.contains(':') && !(host.starts_with('[') && host.ends_with(']')) {
        return Some(format!("write an IPv6 host in brackets: `[{host}]:{port}`"));
    }
    match port.parse::<u32>() {
        Ok(number) if u16::try_from(number).is_ok() => None,
        Ok(number) => Some(format!("port {number} is out of range")),
        Err(_) => Some(format!("`{port}` is no port number")),
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let fail = |problem: String| AddressError { text: text.to_owned(), problem };
        let (network, target) = match text.split_once('@') {
            None => (Network::Tcp, text),
            Some((name, target)) => {
                let known = Network::ALL.into_iter().find(|network| network.name() == name);
                let network = known.ok_or_else(|| {
                    fail(format!("unknown network `{name}` (known: tcp, unix, memory)"))
                })?;
                (network, target)
            }
        };
        Self::new(network, target).map_err(|error| fail(error.problem))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.network.name(), self.target)
    }
}

/// A text that is no address.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AddressError {
    text: String,
    problem: String,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" is no address: {}", self.text, self.problem)
    }
}

impl std::error::Error for AddressError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_network_means_tcp() {
        let address: Address = "localhost:8972".parse().unwrap();
        assert_eq!((address.network(), address.target()), (Network::Tcp, "localhost:8972"));
    }

    #[test]
    fn text_and_value_are_equal() {
        for text in ["tcp@[::1]:80", "unix@/run/a.sock", "memory@arith", "tcp@0.0.0.0:0"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, problem) in [
            ("", "nothing stands after the network"),
            ("localhost", "a TCP address is `host:port`"),
            (":80", "the host is missing; `0.0.0.0` or `[::]` means all interfaces"),
            ("::1:80", "write an IPv6 host in brackets: `[::1]:80`"),
            ("h:99999", "port 99999 is out of range"),
            ("h:http", "`http` is no port number"),
            ("pigeon@x", "unknown network `pigeon` (known: tcp, unix, memory)"),
            ("unix@", "nothing stands after the network"),
        ] {
            let error = text.parse::<Address>().unwrap_err();
            assert_eq!(error.to_string(), format!("\"{text}\" is no address: {problem}"));
        }
    }
}
