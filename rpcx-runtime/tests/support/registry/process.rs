//! A second process that registers servers, so that it can crash.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command, Stdio};

use tokio::task::block_in_place;

use super::{Bench, PrivateServer, Settings, announcement};

/// A process that registers servers of the service Arith; it ends with this value.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// Starts a process; returns when all its servers are registered.
    pub(crate) fn register(registry: &PrivateServer, servers: &[&str]) -> Self {
        let child = Command::new(std::env::current_exe().expect("the test has a file"))
            .args(["--exact", "another_process", "--nocapture"])
            .env(REGISTRY, registry.address())
            .env(SERVERS, servers.join(" "))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut process = Self { child: child.expect("the test can run once more") };
        block_in_place(|| process.wait_until_registered());
        process
    }

    fn wait_until_registered(&mut self) {
        let output = self.child.stdout.take().expect("the output is piped");
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        assert!(lines.any(|line| line == REGISTERED), "the other process ended too early");
    }

    /// Kills it: it has no time to say goodbye.
    pub(crate) fn crash(mut self) {
        self.child.kill().expect("the other process runs");
        self.child.wait().expect("the other process can be waited for");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail if it has ended, which is just as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Registers servers until the first process is gone; does nothing in that one.
#[tokio::main]
pub(crate) async fn run_as_another_process<B: Bench>() {
    let (Ok(registry), Ok(servers)) = (std::env::var(REGISTRY), std::env::var(SERVERS)) else {
        return;
    };
    let registry = B::registry(&registry, Settings::of::<B>());
    let mut registrations = Vec::new();
    for server in servers.split(' ') {
        let registration = registry.register("Arith", announcement(server));
        registration.registered().await.expect("the registry takes the server");
        registrations.push(registration);
    }
    let mut output = std::io::stdout();
    // The test runner left its own line unfinished.
    writeln!(output, "\n{REGISTERED}").expect("the first process reads this");
    block_in_place(|| std::io::stdin().read_to_end(&mut Vec::new()).expect("the input is a pipe"));
}

const REGISTRY: &str = "RPCX_TEST_REGISTRY";
const SERVERS: &str = "RPCX_TEST_SERVERS";
const REGISTERED: &str = "all servers are registered";
