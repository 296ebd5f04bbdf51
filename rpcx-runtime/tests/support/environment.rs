//! Tests of what the environment says, each in a process of its own.

use std::future::Future;
use std::process::Command;

use super::soon;

/// Runs `test` in another process that has these variables; in that process, runs it here.
///
/// `name` is that of the test function.
pub(crate) fn with_environment<F: Future<Output = ()>>(name: &str, set: &[(&str, &str)], test: F) {
    if runs_here(name) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        return runtime.expect("there is room for a runtime").block_on(soon(test));
    }
    let mut command = Command::new(std::env::current_exe().expect("the test has a file"));
    for variable in VARIABLES {
        command.env_remove(variable);
    }
    let command = command.args(["--exact", name, "--nocapture"]).env(TEST, name);
    let output = command.envs(set.iter().copied()).output().expect("the test can run once more");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}\n{errors}");
}

/// Tells whether this process is the one that was started for the test of this name.
pub(crate) fn runs_here(name: &str) -> bool {
    std::env::var(TEST).is_ok_and(|running| running == name)
}

/// Names the test that runs in this process.
const TEST: &str = "RPCX_TEST_IN_ENVIRONMENT";
/// What whoever runs the tests may have set.
const VARIABLES: [&str; 9] = [
    "RPCX_REGISTRY",
    "RPCX_ETCD_SERVERS",
    "RPCX_ZOOKEEPER_SERVERS",
    "RPCX_CONSUL_SERVERS",
    "RPCX_REGISTRY_CA",
    "RPCX_REGISTRY_CERTIFICATE",
    "RPCX_REGISTRY_KEY",
    "RPCX_BASE_PATH",
    "RPCX_SERVICE_ADDRESS",
];
