//! Multicast DNS: servers and clients of one network find each other without any server between.
//!
//! ```no_run
//! use rpcx::registry::{Discover, Mdns, Register};
//! use rpcx::{Instance, InstanceMetadata};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let mdns = Mdns::new();
//!
//! let metadata = InstanceMetadata::parse("weight=5");
//! let instance = Instance::new("tcp@192.168.0.7:8972".parse()?).with_metadata(metadata);
//! let registration = mdns.register("Arith", instance.clone().into());
//! registration.registered().await?;
//!
//! let mut servers = mdns.discover("Arith");
//! let found = servers.wait_for(|list| !list.instances().is_empty()).await?;
//! assert_eq!(found.instances()[..], [instance]);
//! # Ok(())
//! # }
//! ```
//!
//! # Two names
//!
//! Go rpcx 1.9.4 announces its servers under `_rpcxservices.local.`, which is no proper name for a
//! service: RFC 6763 wants `_rpcxservices._tcp.local.`, and tools and libraries insist. So there are
//! two halves, which fail and recover independently:
//!
//! | name | spoken by | done by |
//! |---|---|---|
//! | `_rpcxservices._tcp.local.` | this crate, `avahi-browse`, `dns-sd` | `mdns-sd`, IPv4 and IPv6 |
//! | `_rpcxservices.local.` | this crate, Go | a small responder and browser, IPv4 |
//!
//! A server is announced in both and listed once; [`Mdns::go_compatible`] turns the second off. The
//! TXT record is Go's in both: one string, the URL-escaped JSON of
//! `[{"service":"Arith","meta":"weight=5","service_address":"tcp@192.168.0.7:8972"}]`.
//!
//! What is different from Go, where it does no harm to Go's programs:
//!
//! - Each service has an instance name of its own. Go uses the host's name: of two Go servers on a
//!   host a Go client sees one. This registry sees both.
//! - A string has room for 255 bytes, which Go fills with all services of a process; with about two
//!   nothing is announced any more, and nothing said. Here one service must fit: if it does not, its
//!   registration is [`Refused`](super::RegistrationState::Refused).
//! - Only servers of the service that was asked for are listed. A Go client lists all there are.
//!
//! # How fast
//!
//! A new server is announced at once. One that is withdrawn is out of the lists after about 1 s, one
//! that crashed after [`watch_interval`](Mdns::watch_interval) and [`timeout`](Mdns::timeout)
//! together, 4 s unless set otherwise.
//!
//! There is no base path: whoever is on the network is found.

mod entries;
mod go;
mod half;
mod label;
mod lists;
mod options;
mod peers;
mod rfc;
mod run;
mod shared;
mod text;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use self::options::Options;
use self::shared::Shared;
use super::{Announcement, Discover, Register, Registration, Snapshot};

/// The multicast DNS registry. Go's `MDNSRegisterPlugin` and `MDNSDiscovery`.
///
/// Nothing is sent before the first [`register`](Register::register) or
/// [`discover`](Discover::discover), and nothing any more when all registrations and lists are
/// dropped. Clones share their entries and lists; settings come first: a setter makes a registry of
/// its own.
///
/// Announced are TCP addresses. One of `127.0.0.1` is announced too, and found by the whole network.
#[derive(Clone, Debug)]
pub struct Mdns {
    shared: Arc<Shared>,
}

impl Mdns {
    /// Makes a registry with the default settings.
    pub fn new() -> Self {
        Self::of(Options::default())
    }

    fn of(options: Options) -> Self {
        Self { shared: Arc::new(Shared::new(options)) }
    }

    fn with(self, change: impl FnOnce(&mut Options)) -> Self {
        let mut options = self.shared.options().clone();
        change(&mut options);
        Self::of(options)
    }

    /// Sets how often `calls` and `connections` are announced anew; 1 minute unless set.
    ///
    /// Zero is refused at registration.
    #[must_use]
    pub fn update_interval(self, interval: Duration) -> Self {
        self.with(|options| options.update_interval = interval)
    }

    /// Sets whether `calls` and `connections` are announced; they are unless set.
    ///
    /// They are left out, with a warning, from an entry that has no room for them.
    #[must_use]
    pub fn metrics(self, on: bool) -> Self {
        self.with(|options| options.metrics = on)
    }

    /// Sets how often servers are asked for and the known ones are asked whether they are still
    /// there; 2 s unless set. Go has no default.
    ///
    /// Zero is refused at registration, and shows in the list's [`Reach`](super::Reach).
    #[must_use]
    pub fn watch_interval(self, interval: Duration) -> Self {
        self.with(|options| options.watch_interval = interval)
    }

    /// Sets how long an answer is waited for; 2 s unless set. Go has no default.
    ///
    /// A known server that does not answer in this time is gone. A list in which nobody was found
    /// in this time is taken to be empty. Zero as for the watch interval.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with(|options| options.timeout = timeout)
    }

    /// Sets whether Go's name is spoken too; it is unless set.
    ///
    /// Without it Go programs and this one do not find each other.
    #[must_use]
    pub fn go_compatible(self, on: bool) -> Self {
        self.with(|options| options.go_compatible = on)
    }
}

impl Default for Mdns {
    fn default() -> Self {
        Self::new()
    }
}

impl Discover for Mdns {
    fn discover(&self, service: &str) -> watch::Receiver<Snapshot> {
        run::discover(&self.shared, service)
    }
}

impl Register for Mdns {
    fn register(&self, service: &str, announcement: Announcement) -> Registration {
        run::register(&self.shared, service, announcement)
    }
}

/// The registry's name in log lines.
const NAME: &str = "mdns";
