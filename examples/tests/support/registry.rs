//! Private etcd, ZooKeeper and Consul servers.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// A registry server that the tests of this process share.
pub(crate) struct Shared {
    name: &'static str,
    running: Mutex<Weak<PrivateServer>>,
}

/// A registry server; it ends with the last test that has it.
pub(crate) struct PrivateServer {
    name: &'static str,
    folder: PathBuf,
    address: String,
}

impl Shared {
    pub(crate) const fn new(name: &'static str) -> Self {
        Self { name, running: Mutex::new(Weak::new()) }
    }

    /// Gives the server, which is started for the first test. Gives none, and says so, if its
    /// program is missing; with `CI=true` that is a failure.
    pub(crate) fn server(&self, test: &str) -> Option<Arc<PrivateServer>> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = running.upgrade() {
            return Some(server);
        }
        match PrivateServer::start(self.name) {
            Ok(server) => {
                let server = Arc::new(server);
                *running = Arc::downgrade(&server);
                Some(server)
            }
            Err(missing) => {
                let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
                assert!(!ci, "{missing}; the tests of registries do not skip where CI=true");
                // Not `eprintln`, which the test runner would keep to itself.
                let _ = writeln!(std::io::stderr(), "skipped {test}: {}", missing.trim());
                None
            }
        }
    }
}

impl PrivateServer {
    /// Starts a server; fails with a text that says which program is missing.
    fn start(name: &'static str) -> Result<Self, String> {
        let folder = std::env::temp_dir().join(format!("rpcx-{}-{name}", std::process::id()));
        let mut server = Self { name, folder, address: String::new() };
        let output = server.script("start");
        match output.status.code() {
            Some(0) => {}
            Some(2) => return Err(String::from_utf8_lossy(&output.stderr).into_owned()),
            _ => panic!("{name} does not start: {output:#?}"),
        }
        // `RPCX_TEST_ETCD=127.0.0.1:PORT`, among others.
        let variable = format!("RPCX_TEST_{}=", name.to_uppercase());
        let lines = String::from_utf8_lossy(&output.stdout);
        let address = lines.lines().find_map(|line| line.strip_prefix(&variable));
        address.expect("the script tells where the server is").clone_into(&mut server.address);
        Ok(server)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    fn script(&self, action: &str) -> Output {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.ci/registries");
        let mut command = Command::new(&script);
        command.arg("--dir").arg(&self.folder).args([action, self.name]);
        // Consul's own least is longer than Go's plugin asks for at the tests' interval.
        command.env("RPCX_CONSUL_SESSION_TTL_MIN", "1s");
        // Should the tests end without cleaning up, the server ends all the same.
        command.env("RPCX_REGISTRIES_OWNER", std::process::id().to_string());
        let output = command.output();
        output.unwrap_or_else(|error| panic!("cannot run {}: {error}", script.display()))
    }
}

impl Drop for PrivateServer {
    fn drop(&mut self) {
        let _ = self.script("kill");
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
