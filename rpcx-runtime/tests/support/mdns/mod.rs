//! What the tests of multicast DNS share.
#![allow(dead_code, unused_imports, reason = "each test file is a crate and uses some of it")]

mod packets;
mod process;

use std::io::Write as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rpcx::registry::{Announcement, Discover as _, Mdns, Reach, Snapshot};
use rpcx::{Instance, InstanceMetadata};
use tokio::sync::watch;

pub(crate) use packets::Network;
pub(crate) use process::{Process, run_as_another_process};

/// What is promised for a server that crashed.
pub(crate) const CRASHED: Duration = Duration::from_secs(5);

/// Makes a service name that nobody else on the network has.
pub(crate) fn unique(name: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{name}{:x}.{number}", std::process::id())
}

/// Makes what a server announces: `tcp@127.0.0.1:1?weight=5`.
pub(crate) fn announcement(server: &str) -> Announcement {
    instance(server).into()
}

pub(crate) fn instance(server: &str) -> Instance {
    let (address, query) = server.split_once('?').unwrap_or((server, ""));
    let address = address.parse().expect("the test's address is one");
    Instance::new(address).with_metadata(InstanceMetadata::parse(query))
}

/// Follows a service.
pub(crate) struct Follower {
    list: watch::Receiver<Snapshot>,
}

impl Follower {
    pub(crate) fn new(mdns: &Mdns, service: &str) -> Self {
        Self { list: mdns.discover(service) }
    }

    /// Waits until the list is this, in its order; gives how long that took.
    pub(crate) async fn until(&mut self, servers: &[&str]) -> Duration {
        let since = Instant::now();
        let expected: Vec<_> = servers.iter().map(|server| instance(server)).collect();
        let wanted = |snapshot: &Snapshot| {
            matches!(snapshot.reach(), Reach::Live) && snapshot.instances()[..] == expected
        };
        let came = tokio::time::timeout(SAFETY, self.list.wait_for(wanted)).await.is_ok();
        assert!(came, "the list is {:#?}, not {servers:?}", self.list.borrow());
        since.elapsed()
    }

    /// Waits for any list of this many servers.
    pub(crate) async fn until_there_are(&mut self, count: usize) -> Snapshot {
        let wanted = |snapshot: &Snapshot| snapshot.instances().len() == count;
        let found = tokio::time::timeout(SAFETY, self.list.wait_for(wanted)).await;
        found.expect("not so many servers come").expect("the list goes on").clone()
    }
}

/// Waits for what is sure to come.
pub(crate) async fn soon<F: Future>(what: &str, event: F) -> F::Output {
    let result = tokio::time::timeout(SAFETY, event).await;
    result.unwrap_or_else(|_| panic!("nothing within {SAFETY:?}: {what}"))
}

/// Tells how long something took; not by `eprintln`, which the test runner would keep to itself.
pub(crate) fn tell(what: &str, took: Duration) {
    let _ = writeln!(std::io::stderr(), "mdns: {what} took {took:.2?}");
}

/// Tells whether multicast works here, and says so if not.
///
/// Whether a network has multicast is its nature: also with `CI=true` these tests may skip.
pub(crate) fn possible(test: &str) -> bool {
    static POSSIBLE: OnceLock<bool> = OnceLock::new();
    let possible = *POSSIBLE.get_or_init(|| std::thread::spawn(try_once).join().unwrap_or(false));
    if !possible {
        let why = "this machine's network has no multicast (with CI=true too, as it is its nature)";
        let _ = writeln!(std::io::stderr(), "skipped {test}: {why}");
    }
    possible
}

/// Sends a packet to the group and waits for it.
fn try_once() -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime can be made");
    runtime.block_on(async {
        let Ok(network) = Network::open() else { return false };
        let service = unique("try");
        let asked = async {
            network.announce("try", &[(&service, "tcp@127.0.0.1:1", "")], 0).await?;
            network.hear(|text| text.contains(&service)).await
        };
        matches!(tokio::time::timeout(Duration::from_secs(3), asked).await, Ok(Ok(_)))
    })
}

/// It never decides a test that passes.
const SAFETY: Duration = Duration::from_secs(30);
