//! A registry server that belongs to one test.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::task::block_in_place;

use super::Bench;

/// A registry server that belongs to one test; it ends with this value.
#[derive(Debug)]
pub(crate) struct PrivateServer {
    name: &'static str,
    environment: Vec<(&'static str, String)>,
    folder: PathBuf,
    address: String,
}

impl PrivateServer {
    /// Starts a server. Gives none, and says so, if its program is missing; with `CI=true` that is a
    /// failure.
    pub(crate) fn start<B: Bench>(test: &str) -> Option<Self> {
        let environment = B::ENVIRONMENT.iter().map(|(name, value)| (*name, (*value).to_owned()));
        Self::start_with(B::NAME, environment.collect(), test)
    }

    /// Starts the server of this name in `.ci/registries`, which is told this.
    pub(crate) fn start_with(
        name: &'static str,
        environment: Vec<(&'static str, String)>,
        test: &str,
    ) -> Option<Self> {
        let server = Self { name, environment, folder: folder(), address: String::new() };
        let output = server.script("start");
        match output.status.code() {
            Some(0) => Some(server.at(&output)),
            Some(2) => {
                let missing = String::from_utf8_lossy(&output.stderr).trim().to_owned();
                let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
                assert!(!ci, "{missing}; the tests of registries do not skip where CI=true");
                let _ = writeln!(std::io::stderr(), "skipped {test}: {missing}");
                None
            }
            _ => panic!("{name} does not start: {output:#?}"),
        }
    }

    /// Reads `RPCX_TEST_ETCD=127.0.0.1:PORT`.
    fn at(mut self, output: &Output) -> Self {
        let variable = format!("RPCX_TEST_{}=", self.name.to_uppercase());
        let lines = String::from_utf8_lossy(&output.stdout);
        let address = lines.lines().find_map(|line| line.strip_prefix(&variable));
        address.expect("the script tells where the server is").clone_into(&mut self.address);
        self
    }

    /// Where it listens, also while it does not run.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Ends it at once, as a crash does.
    pub(crate) fn kill(&self) {
        self.run("kill");
    }

    /// Starts it again; returns when it is ready.
    pub(crate) fn start_again(&self) {
        self.run("start");
    }

    /// Ends it at once and deletes its data.
    pub(crate) fn wipe(&self) {
        self.run("wipe");
    }

    /// Makes it hang.
    pub(crate) fn pause(&self) {
        self.run("pause");
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) {
        self.run("resume");
    }

    fn run(&self, action: &str) {
        let output = self.script(action);
        assert!(output.status.success(), "{action} {}: {output:#?}", self.name);
    }

    fn script(&self, action: &str) -> Output {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.ci/registries");
        let mut command = Command::new(&script);
        command.arg("--dir").arg(&self.folder).args([action, self.name]);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        // Should the test end without cleaning up, the server ends all the same.
        command.env("RPCX_REGISTRIES_OWNER", std::process::id().to_string());
        // The registry's own tasks go on meanwhile.
        let output = block_in_place(|| command.output());
        output.unwrap_or_else(|error| panic!("cannot run {}: {error}", script.display()))
    }
}

impl Drop for PrivateServer {
    fn drop(&mut self) {
        let _ = self.script("kill");
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Gives a folder that no other test has, in this process or another.
fn folder() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("rpcx-registry-{}-{number}", std::process::id()))
}
