//! The network's multicast, which tests have one at a time.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::net::{Ipv4Addr, UdpSocket};
use std::sync::OnceLock;
use std::time::Duration;

use nix::fcntl::{Flock, FlockArg};

/// Leave to announce and to look for servers: Go's names are the host's, one for all its servers.
pub(crate) struct Turn {
    _file: Flock<File>,
}

/// Waits until no other test has the multicast. Gives none, and says so, if there is no multicast:
/// that is a network's nature, and no failure with `CI=true` either.
pub(crate) fn turn(test: &str) -> Option<Turn> {
    static POSSIBLE: OnceLock<bool> = OnceLock::new();
    if !*POSSIBLE.get_or_init(|| try_once().is_ok()) {
        let why = "this machine's network has no multicast (with CI=true too, as it is its nature)";
        // Not `eprintln`, which the test runner would keep to itself.
        let _ = writeln!(std::io::stderr(), "skipped {test}: {why}");
        return None;
    }
    // A file, for tests may run in several processes.
    let path = std::env::temp_dir().join("rpcx-multicast.lock");
    let file = OpenOptions::new().create(true).append(true).open(path);
    let file = file.expect("the folder for temporary files takes a file");
    match Flock::lock(file, FlockArg::LockExclusive) {
        Ok(file) => Some(Turn { _file: file }),
        Err((_, error)) => panic!("cannot wait for other tests: {error}"),
    }
}

/// Sends a packet to the group and waits for it.
fn try_once() -> std::io::Result<()> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.join_multicast_v4(&GROUP, &Ipv4Addr::UNSPECIFIED)?;
    socket.set_read_timeout(Some(Duration::from_secs(3)))?;
    socket.send_to(b"rpcx", (GROUP, socket.local_addr()?.port()))?;
    socket.recv(&mut [0; 16]).map(drop)
}

/// That of multicast DNS.
const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
